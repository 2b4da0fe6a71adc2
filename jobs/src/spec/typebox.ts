/**
 * All that we use of TypeBox, in one place. The build replaces what is compiled of this file with a
 * bundle: TypeBox is 680 modules, and each thread of a node, each command and each test took a third of a
 * second of a core to load them. Nothing else imports TypeBox (test/tidy/layers.test.ts).
 */
export { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox'
export { Compile } from 'typebox/compile'
export { Value } from 'typebox/value'
