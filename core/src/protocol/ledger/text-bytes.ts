/**
 * UTF-8 without Node or DOM types: texts as strings of bytes (U+0000 … U+00FF), which is what row keys
 * are made of. A lone surrogate counts as U+FFFD, as every encoder has it.
 */

/** Most keys: each character is its own byte. What does not match goes the long way, and may be ASCII. */
const PRINTABLE_ASCII = /^[ -~]*$/

/** The UTF-8 bytes of `text`, one character each: compares in byte order. */
export function toByteString(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text
  let bytes = ''
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += encodePoint(point >= 0xd800 && point <= 0xdfff ? 0xfffd : point)
  }
  return bytes
}

function encodePoint(point: number): string {
  if (point < 0x80) return String.fromCharCode(point)
  const tail = (shift: number): number => 0x80 | ((point >> shift) & 0x3f)
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), tail(0))
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), tail(6), tail(0))
  return String.fromCharCode(0xf0 | (point >> 18), tail(12), tail(6), tail(0))
}

/** The text whose UTF-8 bytes these are; the reverse of `toByteString`. */
export function fromByteString(bytes: string): string {
  if (PRINTABLE_ASCII.test(bytes)) return bytes
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes.charCodeAt(at)
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    let point = length === 1 ? lead : lead & (0xff >> (length + 1))
    for (let i = 1; i < length; i += 1) point = (point << 6) | (bytes.charCodeAt(at + i) & 0x3f)
    text += String.fromCodePoint(point)
    at += length
  }
  return text
}
