import { RECORD_KEY_BYTES_MAX } from './limits.js'
import { Problem } from './problem.js'

/** @throws Problem `invalid_key` for what can be the key of no record */
export function checkRecordKey(key: string): void {
  const bytes = Buffer.byteLength(key)
  if (bytes > 0 && bytes <= RECORD_KEY_BYTES_MAX) return
  const detail = `a key has 1 to ${RECORD_KEY_BYTES_MAX} bytes of UTF-8`
  throw new Problem('invalid_key', detail, { at: '/key' })
}
