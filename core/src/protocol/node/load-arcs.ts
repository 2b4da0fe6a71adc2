import type { ArcId, Instant, LogIndex } from '../../base/ids.js'
import { NO_LOG, soleVoterGroup } from '../raft/sole-voter.js'
import { lostStop } from '../ledger/arc-stop.js'
import { ArcState } from './arc-state.js'
import type { EngineArcStart, EngineSelf } from './engine-types.js'
import type { ArcStop, DamagedArc } from './messages.js'
import { type ReachFault, reachFault } from './log-reach.js'

export interface Loading {
  readonly self: EngineSelf
  /** All arcs of the ring, also those without an entry. */
  readonly arcIds: readonly ArcId[]
  /** What the log holds. */
  readonly recovered: ReadonlyMap<ArcId, EngineArcStart>
  /** What the state store holds: applied index and the arc time of that entry. */
  readonly applied: readonly (readonly [ArcId, LogIndex, Instant])[]
  /** Arcs whose rows in it have rotted. */
  readonly damaged: readonly DamagedArc[]
}

/** One arc, ready to begin. */
export interface LoadedArc {
  readonly state: ArcState
  /** Its rows have rotted. It applies its log from the first entry on, or stands still. */
  readonly damage: 'rebuild' | ArcStop | null
}

/** Joins log and state of each arc; a fault where they do not fit, and then no arc may start. */
export function loadArcs(loading: Loading): readonly LoadedArc[] | ReachFault {
  const { self, arcIds, recovered } = loading
  const loaded = new Map(loading.applied.map(([arc, index, time]) => [arc, { index, time }]))
  const damaged = new Map(loading.damaged.map((one) => [one[0], one]))
  const arcs: LoadedArc[] = []
  for (const arc of arcIds) {
    const start = recovered.get(arc) ?? NEW_ARC
    const found = damaged.get(arc)
    const damage = found === undefined ? null : damageAt(start, found)
    const state = damage === null ? (loaded.get(arc) ?? NOTHING) : beforeLog(start)
    const fault = reachFault(
      arc,
      start,
      found === undefined ? state.index : beforeLogOr(start, found),
    )
    if (fault !== null) return fault
    const group = soleVoterGroup({ arc, ...self, start, applied: state.index })
    const time = Math.max(state.time, start.lastTime)
    arcs.push({ state: new ArcState(arc, group, state.index, time), damage })
  }
  return arcs
}

const NOTHING = { index: 0, time: 0 }

/** A damaged arc begins where its log does; that is all of it, or it stands still. */
function beforeLog({ firstIndex }: EngineArcStart): typeof NOTHING {
  return { index: Math.max(firstIndex - 1, 0), time: 0 }
}

/** What it has applied must be in the log, all the same: else more is wrong than its rows. */
function beforeLogOr(start: EngineArcStart, [, , applied]: DamagedArc): LogIndex {
  return Math.max(applied, beforeLog(start).index)
}

function damageAt({ firstIndex }: EngineArcStart, [, found]: DamagedArc): LoadedArc['damage'] {
  return firstIndex <= 1 ? 'rebuild' : lostStop(found, firstIndex)
}

const NEW_ARC: EngineArcStart = { ...NO_LOG, lastTime: 0 }
