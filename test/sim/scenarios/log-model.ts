import assert from 'node:assert/strict'
import type { LogEntry, LogRecord, LogStore } from '@gyre/core/internal/ports/log-store.js'

interface ModelArc {
  readonly term: number
  readonly vote: string | null
  /** Entries from index 1 on; compacted ones stay here, since the log may keep them too. */
  readonly entries: readonly LogEntry[]
  readonly compactedTo: number
}

const NEW_ARC: ModelArc = { term: 0, vote: null, entries: [], compactedTo: 0 }

/** What a log must hold, kept in the dumbest way: a list per arc. */
export class LogModel {
  readonly #arcs: Map<number, ModelArc>

  constructor(arcs: ReadonlyMap<number, ModelArc> = new Map()) {
    this.#arcs = new Map(arcs)
  }

  arc(arc: number): ModelArc {
    return this.#arcs.get(arc) ?? NEW_ARC
  }

  lastIndex(arc: number): number {
    return this.arc(arc).entries.length
  }

  /** The model after one more batch. */
  with(records: readonly LogRecord[]): LogModel {
    const next = new LogModel(this.#arcs)
    for (const record of records) next.#arcs.set(record.arc, changed(next.arc(record.arc), record))
    return next
  }

  compact(arc: number, upTo: number): void {
    if (upTo === 0) return
    const known = this.arc(arc)
    this.#arcs.set(arc, { ...known, compactedTo: Math.max(known.compactedTo, upTo) })
  }

  /** @throws when the log lacks, alters or adds anything */
  checkRecovered(log: LogStore): void {
    assert.deepEqual(log.recovered.damaged, [])
    for (const [arc, expected] of this.#arcs) {
      const found = log.recovered.arcs.get(arc)
      assert.ok(found !== undefined, `arc ${arc} is in the log`)
      const { term, vote, lastIndex, lastTerm } = found
      const newest = expected.entries[expected.entries.length - 1]
      assert.deepEqual(
        { term, vote, lastIndex, lastTerm },
        {
          term: expected.term,
          vote: expected.vote,
          lastIndex: newest?.index ?? 0,
          lastTerm: newest?.term ?? 0,
        },
        `arc ${arc}`,
      )
      const start = `arc ${arc} begins at ${found.firstIndex}, needed from ${expected.compactedTo + 1}`
      assert.ok(found.firstIndex <= expected.compactedTo + 1, start)
      const read = log.read(arc, found.firstIndex, found.lastIndex)
      assert.deepEqual(read, expected.entries.slice(found.firstIndex - 1), `arc ${arc}`)
    }
    assert.equal(log.recovered.arcs.size, this.#arcs.size)
  }

  /** Whatever is not compacted can be read at any time. */
  checkRead(log: LogStore, arc: number, from: number, to: number): void {
    const expected = this.arc(arc).entries.slice(from - 1, to)
    assert.deepEqual(log.read(arc, from, to), expected, `entries ${from} to ${to} of arc ${arc}`)
  }
}

function changed(arc: ModelArc, record: LogRecord): ModelArc {
  if (record.kind === 'hard-state') return { ...arc, term: record.term, vote: record.vote }
  assert.equal(record.kind, 'append', 'the model knows no snapshots')
  const first = record.entries[0]?.index ?? 1
  return { ...arc, entries: [...arc.entries.slice(0, first - 1), ...record.entries] }
}
