import type { CountsRow } from '../rows-layout.js'
import { keys } from '../rows-layout.js'
import { parseReadyName } from '../ready-name.js'
import type { TallyFigures } from '../tally.js'
import type { ReadContext } from './found.js'

/** What the ledger thread tells for metrics: state of its arcs, and events of this life. */
export interface LedgerFigures {
  /** Jobs by status; what has none is not named. */
  readonly jobs: Readonly<Record<string, number>>
  /** Tasks that could start, by service. */
  readonly ready: Readonly<Record<string, number>>
  readonly tally: TallyFigures
  readonly overlay: {
    /** Rows in memory that the state store does not have yet. */
    readonly dirtyRows: number
    /** Rows of the state store that are kept in memory, and the length of their JSON. */
    readonly knownRows: number
    readonly knownChars: number
  }
}

/** Sums of the arcs' own counts: no job is looked at. */
export function countsOf(arcs: readonly ReadContext[]): Pick<LedgerFigures, 'jobs' | 'ready'> {
  const jobs = new Map<string, number>()
  const ready = new Map<string, number>()
  for (const { rows } of arcs) {
    const { counts = {} } = rows.get<CountsRow>(keys.jobCounts) ?? {}
    for (const [status, count] of Object.entries(counts)) add(jobs, status, count)
    const { counts: queues = {} } = rows.get<CountsRow>(keys.readyCounts) ?? {}
    for (const [name, count] of Object.entries(queues)) {
      add(ready, parseReadyName(name).service, count)
    }
  }
  return { jobs: Object.fromEntries(jobs), ready: Object.fromEntries(ready) }
}

function add(sums: Map<string, number>, name: string, count: number): void {
  sums.set(name, (sums.get(name) ?? 0) + count)
}
