import { assert } from '../../../base/assert.js'
import type { LogIndex, Term } from '../../../base/ids.js'
import { type Configuration, decodeConfiguration, type Replica } from '../configuration.js'
import type { PlacedConfiguration } from '../configurations.js'
import type { StoredEntries } from '../log.js'
import type { LogEntry, LogRecord } from '../log-record.js'
import type { ReplicaStart } from '../replica-state.js'
import type { TermRun } from '../term-runs.js'

/** What one replica has made durable; survives its crashes. */
export class TestDisk implements StoredEntries {
  readonly self: Replica
  term: Term = 0
  vote: number | null = null
  base: { readonly index: LogIndex; readonly term: Term } = { index: 0, term: 0 }
  /** `entries[i]` has index `base.index + 1 + i`. */
  entries: LogEntry[] = []
  baseConfig: PlacedConfiguration | null
  /** What the state machine has made durable. */
  applied: LogIndex = 0
  isQuarantined = false

  constructor(self: Replica, config: Configuration | null) {
    this.self = self
    this.baseConfig = config === null ? null : { index: 0, config }
  }

  get lastIndex(): LogIndex {
    return this.base.index + this.entries.length
  }

  entry(index: LogIndex): LogEntry | undefined {
    return this.entries[index - this.base.index - 1]
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.base.index ? this.base.term : this.entry(index)?.term
  }

  read(from: LogIndex, to: LogIndex): readonly LogEntry[] {
    assert(from > this.base.index && to <= this.lastIndex, 'reads what the disk holds')
    return this.entries.slice(from - this.base.index - 1, to - this.base.index)
  }

  /** @param resetConfig goes with a `reset` record: the host has it from the snapshot */
  write(records: readonly LogRecord[], resetConfig: Configuration | null): void {
    for (const record of records) {
      switch (record.kind) {
        case 'hard-state':
          this.term = record.term
          this.vote = record.vote === null ? null : Number(record.vote)
          break
        case 'append': {
          const first = record.entries[0]?.index ?? 0
          assert(first > this.base.index && first <= this.lastIndex + 1, 'an append joins the log')
          this.entries.length = first - this.base.index - 1
          this.entries.push(...record.entries)
          break
        }
        case 'reset':
          assert(resetConfig !== null, 'a snapshot has a configuration')
          this.base = { index: record.index, term: record.term }
          this.entries = []
          this.baseConfig = { index: record.index, config: resetConfig }
          this.applied = record.index
      }
    }
  }

  compact(index: LogIndex): void {
    if (index <= this.base.index) return
    const config = this.configs().findLast((placed) => placed.index <= index)
    const term = this.termAt(index)
    assert(term !== undefined, 'compacts what is held')
    this.entries.splice(0, index - this.base.index)
    this.base = { index, term }
    this.baseConfig = config ?? null
  }

  start(): ReplicaStart {
    const runs: TermRun[] = []
    for (const { index, term } of this.entries) {
      if (runs.at(-1)?.term !== term) runs.push({ from: index, term })
    }
    return {
      term: this.term,
      vote: this.vote,
      base: this.base,
      lastIndex: this.lastIndex,
      termRuns: runs,
      commitIndex: Math.max(this.applied, this.base.index),
      configs: this.configs(),
      isQuarantined: this.isQuarantined,
    }
  }

  configs(): PlacedConfiguration[] {
    const found = this.entries
      .filter(({ kind }) => kind === 'config')
      .map(({ index, payload }) => ({ index, config: decodeConfiguration(payload) }))
    return this.baseConfig === null ? found : [this.baseConfig, ...found]
  }
}
