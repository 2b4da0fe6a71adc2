/**
 * JSON text in which every integer that would not be given back as it came, since a double has too few
 * digits for it, is replaced by one that is out of range: so the check of the parsed value refuses it, at its place.
 *
 * Numbers with a fraction or an exponent are measurements, and rounding them is what everybody's JSON does;
 * an integer of that length is somebody's ID, and another integer is another ID.
 */
export function spoilInexactIntegers(text: string): string {
  // Most texts have no such number, and most of those that do are found here.
  if (!/\d{16}/.test(text)) return text
  const parts: string[] = []
  let done = 0
  const token = /"|-?\d[\d.eE+-]*/g
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [word] = found
    if (word === '"') {
      token.lastIndex = endOfString(text, found.index)
    } else if (/^-?\d+$/.test(word) && String(Number(word)) !== word && word !== '-0') {
      parts.push(text.slice(done, found.index), OUT_OF_RANGE)
      done = token.lastIndex
    }
  }
  parts.push(text.slice(done))
  return parts.join('')
}

const OUT_OF_RANGE = '1e999'

/** Behind the closing quote; the end of the text where there is none, as in what is no JSON. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at)
    if (quote < 0) return text.length
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}
