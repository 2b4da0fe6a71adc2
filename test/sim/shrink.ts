/**
 * The smallest part of a list that still fails (delta debugging, Zeller and Hildebrandt 2002): leaves
 * out ever smaller pieces for as long as the failure stays. 1-minimal: leaving out any single element
 * of the result makes the failure go away.
 *
 * @param fails  must be true for `items`; called with parts of it, in order
 */
export function shrink<Item>(
  items: readonly Item[],
  fails: (part: readonly Item[]) => boolean,
): readonly Item[] {
  let kept = items
  let pieceCount = 2
  while (kept.length > 0) {
    const size = Math.max(1, Math.ceil(kept.length / pieceCount))
    const smaller = firstFailingRest(kept, size, fails)
    if (smaller !== null) {
      kept = smaller
      pieceCount = Math.max(2, pieceCount - 1)
    } else if (size === 1) {
      return kept
    } else {
      pieceCount = Math.min(kept.length, pieceCount * 2)
    }
  }
  return kept
}

function firstFailingRest<Item>(
  items: readonly Item[],
  size: number,
  fails: (part: readonly Item[]) => boolean,
): readonly Item[] | null {
  for (let from = 0; from < items.length; from += size) {
    const rest = [...items.slice(0, from), ...items.slice(from + size)]
    if (fails(rest)) return rest
  }
  return null
}
