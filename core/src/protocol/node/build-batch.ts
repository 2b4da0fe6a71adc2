import type { ArcId, Instant } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'
import type { PersistMark } from '../raft/group.js'
import type { LogRecord } from '../raft/log-record.js'
import type { ArcState, PendingProposal } from './arc-state.js'
import type { EngineBatch, EngineNow } from './engine-types.js'
import type { Grants } from './grants.js'
import { BATCH_CHARS_MAX, BATCH_COMMANDS_MAX } from './limits.js'

/** What one batch has taken so far. */
interface Filling {
  readonly takenAts: Instant[]
  chars: number
}

/**
 * Makes one log batch for all arcs: completions and clean-up of every arc first, then new work, up to
 * the batch's bounds. Arcs that still have something waiting stay in `dirty`, behind the others.
 *
 * @returns null when there is nothing to make durable
 */
export function buildBatch(dirty: Set<ArcState>, stamp: Stamping): EngineBatch | null {
  const filling: Filling = { takenAts: [], chars: 0 }
  for (const state of dirty) proposeAll(state, 'urgent', filling, stamp)
  for (const state of dirty) proposeAll(state, 'normal', filling, stamp)
  const records: LogRecord[] = []
  const marks = new Map<ArcId, PersistMark>()
  for (const state of [...dirty]) {
    if (state.group.hasRecords) {
      const write = state.group.takeRecords()
      records.push(...write.records)
      marks.set(state.arc, write.mark)
    }
    dirty.delete(state)
    if (state.hasPending && state.group.role === 'leader') dirty.add(state)
  }
  if (records.length === 0) return null
  return { records, marks, takenAts: filling.takenAts }
}

export interface Stamping {
  readonly grants: Grants
  /** False: nothing may start any more, so no entry gets slots. */
  readonly mayStart: boolean
  readonly prng: Prng
  readonly now: EngineNow
}

function proposeAll(
  state: ArcState,
  queue: 'urgent' | 'normal',
  filling: Filling,
  stamping: Stamping,
): void {
  if (state.group.role !== 'leader') return
  const pending = state[queue]
  let taken = 0
  for (const proposal of pending) {
    const chars = filling.chars + proposal.body.length
    if (filling.takenAts.length >= BATCH_COMMANDS_MAX) break
    if (filling.takenAts.length > 0 && chars > BATCH_CHARS_MAX) break
    propose(state, proposal, stamping)
    filling.takenAts.push(proposal.takenAt)
    filling.chars = chars
    taken += 1
  }
  pending.splice(0, taken)
}

/** Stamps a command with arc time, dice and slots, and appends it to its arc's log. */
function propose(state: ArcState, proposal: PendingProposal, stamping: Stamping): void {
  const { grants, mayStart, prng, now } = stamping
  const time = state.time(now.mono, now.wall)
  const reservation =
    proposal.reservation ??
    (mayStart && state.stopped === null
      ? grants.reserve(countOf(proposal.needs), now.mono)
      : undefined)
  const grant =
    reservation === undefined ? '' : `"g":${JSON.stringify(grants.grantOf(reservation))},`
  const payload = `{"t":${time},"s":${prng.uint32()},${grant}"c":${proposal.body}}`
  const index = state.group.propose(payload)
  state.noteProposed(proposal.body.length)
  if (reservation !== undefined) grants.carriedBy(state.arc, index, reservation)
  if (proposal.request !== 0) state.requests.set(index, proposal.request)
}

function countOf(needs: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const service of needs) counts.set(service, (counts.get(service) ?? 0) + 1)
  return counts
}
