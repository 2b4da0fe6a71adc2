import { assert } from '../../base/assert.js'

/** What a piece of generated code is of. */
interface Compiled {
  readonly schema: boolean | { readonly $id?: unknown }
}

/**
 * Makes code that ajv has generated keep one error of a value, the first: more is told to nobody. As
 * generated, each failed alternative keeps its error, and each reference copies those of all before it
 * once more: a number that 1000 references to 1000 alternatives refuse takes gigabytes.
 *
 * Errors are counted as before: by the count a try is known to have failed.
 */
export function keepFirstError(code: string, { schema }: Compiled = { schema: true }): string {
  const { $id = '' } = typeof schema === 'object' ? schema : {}
  return withoutName(code, $id)
    .replaceAll(/vErrors\.push\(err\d+\);/g, '')
    .replaceAll(/vErrors\.concat\([\w.]+\)/g, 'vErrors')
    .replaceAll('errors = vErrors.length;', 'errors++;')
    .replaceAll(/vErrors\.length = _errs\d+/g, 'vErrors.length = 1')
}

/**
 * Code that is to be changed begins with a comment that names the schema, in the stranger's own words:
 * what ends the comment would run. The first text like it is the comment, since nothing else of the
 * schema stands before it.
 */
function withoutName(code: string, id: unknown): string {
  if (id === '') return code
  const text = JSON.stringify(id).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  const comment = `/*# sourceURL=${text} */`
  const at = code.indexOf(comment)
  assert(typeof id === 'string' && at >= 0, 'ajv names the schema as it always did')
  return code.slice(0, at) + code.slice(at + comment.length)
}
