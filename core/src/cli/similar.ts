/** Share of a name that may be mistyped for it still to be meant. */
const MISTYPED_MAX = 0.4

/** @returns the name that was most likely meant; null when none is near */
export function similarTo(given: string, names: readonly string[]): string | null {
  const plain = (name: string): string => name.replaceAll(/[-_]/g, '').toLowerCase()
  const [best] = names
    .map((name) => ({ name, edits: editsBetween(plain(given), plain(name)) }))
    .sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits <= MISTYPED_MAX * best.name.length ? best.name : null
}

/** Characters to insert, delete or replace (Levenshtein), row by row. */
function editsBetween(from: string, to: string): number {
  let before = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 0; row < from.length; row += 1) {
    const now = [row + 1]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (before[column - 1] ?? 0) + (to[column - 1] === from[row] ? 0 : 1)
      now.push(Math.min(replaced, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1))
    }
    before = now
  }
  return before[to.length] ?? 0
}
