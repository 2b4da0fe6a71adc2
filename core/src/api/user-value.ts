import { VALUE_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'
import { checkDepth } from './request-body.js'

/** The most that JSON text grows when it is parsed and written again (`1e20`, control characters). */
const GROWTH_MAX = 6

/**
 * Bounds one value of user data: its depth, and its size as the JSON text that is stored.
 *
 * @param path       JSON pointer to it, for the message
 * @param bodyBytes  size of the body it came in: small ones need no measuring
 * @throws Problem `payload_too_large` or `invalid_request`
 */
export function checkUserValue(value: unknown, path: string, bodyBytes: number): void {
  if (value === undefined) return
  checkDepth(value, path)
  if (bodyBytes * GROWTH_MAX <= VALUE_BYTES_MAX) return
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes <= VALUE_BYTES_MAX) return
  const message = `has ${bytes} bytes as JSON; the limit for one value is ${VALUE_BYTES_MAX} bytes`
  throw new Problem('payload_too_large', `${path === '' ? 'the value' : path} ${message}`, {
    errors: [{ path, message }],
  })
}
