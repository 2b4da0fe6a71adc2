/** The contract of a worker: what a plugin imports to declare services and jobs. */
export { defineJob, type JobDefinition } from '@gyre/jobs'
export * from './define-service.js'
export type * from './json-schema.js'
export type * from './service-context.js'
export type * from './service-dht.js'
export * from './service-error.js'
export * from './update-record.js'
