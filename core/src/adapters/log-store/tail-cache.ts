import { assert } from '../../base/assert.js'
import type { ArcId, LogIndex } from '../../base/ids.js'
import type { LogEntry } from '../../ports/log-store.js'

/** An estimate of what an entry costs beside its text, in bytes. */
const ENTRY_OVERHEAD_BYTES = 64

/** The newest entries of an arc, without gaps. */
interface Tail {
  entries: LogEntry[]
}

interface Addition {
  readonly arc: ArcId
  readonly last: LogIndex
  readonly bytes: number
}

/**
 * Keeps the newest entries of all arcs in memory, bounded in bytes: what a follower or the ledger asks
 * for is nearly always what was just written. Oldest additions leave first.
 */
export class TailCache {
  readonly #bytesMax: number
  readonly #tails = new Map<ArcId, Tail>()
  #additions: Addition[] = []
  /** Additions at the front that have left already. */
  #gone = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes an append: entries at or above its first index are replaced. */
  add(arc: ArcId, entries: readonly LogEntry[]): void {
    const first = entries[0]
    const last = entries[entries.length - 1]
    if (first === undefined || last === undefined) return
    const tail = this.#tails.get(arc) ?? { entries: [] }
    this.#tails.set(arc, tail)
    joinAt(tail, first.index)
    for (const entry of entries) tail.entries.push(entry)
    let bytes = 0
    for (const entry of entries) bytes += entry.payload.length + ENTRY_OVERHEAD_BYTES
    this.#additions.push({ arc, last: last.index, bytes })
    this.#bytes += bytes
    this.#evict()
  }

  /** The arc's entries are gone; what they counted for leaves with their additions. */
  drop(arc: ArcId): void {
    this.#tails.delete(arc)
  }

  /** The entries `from … to` when all of them are here, else null. */
  read(arc: ArcId, from: LogIndex, to: LogIndex): LogEntry[] | null {
    const entries = this.#tails.get(arc)?.entries
    const first = entries?.[0]
    if (entries === undefined || first === undefined || from < first.index) return null
    const found = entries.slice(from - first.index, to - first.index + 1)
    return found.length === to - from + 1 ? found : null
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#additions[this.#gone]
      assert(oldest !== undefined, 'bytes are counted by additions')
      this.#gone += 1
      this.#bytes -= oldest.bytes
      this.#forget(oldest)
    }
    if (this.#gone * 2 < this.#additions.length) return
    this.#additions = this.#additions.slice(this.#gone)
    this.#gone = 0
  }

  #forget(addition: Addition): void {
    const tail = this.#tails.get(addition.arc)
    const first = tail?.entries[0]
    if (tail === undefined || first === undefined) return
    tail.entries.splice(0, Math.max(0, addition.last - first.index + 1))
  }
}

/** Makes `index` the next one: cuts what stands there, or all when a gap would remain. */
function joinAt(tail: Tail, index: LogIndex): void {
  const first = tail.entries[0]
  if (first === undefined) return
  const kept = index - first.index
  if (kept < 0 || kept > tail.entries.length) tail.entries = []
  else tail.entries.splice(kept)
}
