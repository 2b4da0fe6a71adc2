import { crc32 } from 'node:zlib'

/** What a row of the state database carries: of key and value, so that a value under another key is noticed. */
export function rowChecksum(key: string, value: string): number {
  return crc32(value, crc32(key))
}
