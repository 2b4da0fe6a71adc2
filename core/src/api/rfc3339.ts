import { Problem } from './problem.js'

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i

/**
 * @returns milliseconds since 1970
 * @throws Problem `invalid_request`, naming `path`
 */
export function parseInstant(text: string, path: string): number {
  const at = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  const message = 'must be an RFC 3339 instant such as 2030-01-31T12:00:00.000Z'
  throw new Problem('invalid_request', `${path.slice(1)} ${message}`, {
    errors: [{ path, message }],
  })
}
