import { createHash } from 'node:crypto'

/** Names map to IDs by SHA-256 of `kind NUL name`, cut to 128 bits: 32 hex digits. */
export function hashId(kind: string, name: string): string {
  return sha256(`${kind}\0${name}`)
}

/** The first 128 bits of the SHA-256 of a text in UTF-8, 32 hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
