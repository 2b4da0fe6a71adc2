/** Sizes of texts in UTF-8, without Node or DOM types. A lone surrogate counts as U+FFFD, as every encoder has it. */

/** True when `text` takes more than `max` bytes. Cheap for texts that are far from it. */
export function isLongerThan(text: string, max: number): boolean {
  if (text.length > max) return true
  if (text.length * 3 <= max) return false
  return utf8Length(text) > max
}

/** Most JSON: each character is a byte. The engine looks five times as fast as the loop below. */
const PRINTABLE_ASCII = /^[ -~]*$/

export function utf8Length(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length
  let bytes = 0
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (isPair(text, i)) {
      bytes += 4
      i += 1
    } else bytes += 3
  }
  return bytes
}

function isPair(text: string, at: number): boolean {
  const high = text.charCodeAt(at)
  const low = text.charCodeAt(at + 1)
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff
}
