import { PAGE_LIMIT_MAX } from './limits.js'

/**
 * One sorted list out of one per arc. Asks each arc for a small first page and an arc again only when
 * its page is used up, so that a page of 50 does not read 50 rows of every arc.
 */
export interface ArcLists<T> {
  readonly arcCount: number
  /** The first page of every arc that answers, each sorted, of at most `pageSize` items. */
  first(
    pageSize: number,
  ): Promise<{ readonly pages: readonly (readonly T[])[]; readonly missing: number }>
  /** The page behind `last` in its arc; null when the arc does not answer. */
  behind(last: T, pageSize: number): Promise<readonly T[] | null>
  /** Negative when `a` comes first. */
  compare(a: T, b: T): number
}

export interface MergedPage<T> {
  readonly items: readonly T[]
  /** True when items follow behind the last one. */
  readonly more: boolean
  /** Arcs that did not answer. */
  readonly missing: number
}

interface Head<T> {
  page: readonly T[]
  at: number
  pageSize: number
}

export async function mergeArcs<T>(lists: ArcLists<T>, limit: number): Promise<MergedPage<T>> {
  // Twice an even share: most pages are answered in one round.
  const share = Math.ceil((2 * (limit + 1)) / lists.arcCount) + 4
  const pageSize = Math.min(limit + 1, share, PAGE_LIMIT_MAX)
  const first = await lists.first(pageSize)
  const heads = new Set<Head<T>>(first.pages.map((page) => ({ page, at: 0, pageSize })))
  const items: T[] = []
  let missing = first.missing
  while (items.length <= limit) {
    const head = firstOf(heads, lists)
    if (head === null) break
    items.push(head.page[head.at] as T)
    head.at += 1
    if (head.at === head.page.length && !(await refill(head, lists))) missing += 1
  }
  return { items: items.slice(0, limit), more: items.length > limit, missing }
}

/** @returns null when every arc is at its end */
function firstOf<T>(heads: Set<Head<T>>, lists: ArcLists<T>): Head<T> | null {
  let best: Head<T> | null = null
  for (const head of heads) {
    if (head.at >= head.page.length) heads.delete(head)
    else if (best === null || lists.compare(itemOf(head), itemOf(best)) < 0) best = head
  }
  return best
}

/** @returns false when the arc did not answer */
async function refill<T>(head: Head<T>, lists: ArcLists<T>): Promise<boolean> {
  if (head.page.length < head.pageSize) return true
  // An arc that holds more than its share is asked for more each time.
  const pageSize = Math.min(head.pageSize * 2, PAGE_LIMIT_MAX)
  const page = await lists.behind(head.page[head.page.length - 1] as T, pageSize)
  head.page = page ?? []
  head.at = 0
  head.pageSize = pageSize
  return page !== null
}

function itemOf<T>(head: Head<T>): T {
  return head.page[head.at] as T
}
