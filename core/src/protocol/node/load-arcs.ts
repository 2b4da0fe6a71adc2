import type { ArcId, Instant, LogIndex } from '../../base/ids.js'
import { NO_LOG, soleVoterGroup } from '../raft/sole-voter.js'
import { ArcState } from './arc-state.js'
import type { EngineArcStart, EngineSelf } from './engine-types.js'
import { type ReachFault, reachFault } from './log-reach.js'

export interface Loading {
  readonly self: EngineSelf
  /** All arcs of the ring, also those without an entry. */
  readonly arcIds: readonly ArcId[]
  /** What the log holds. */
  readonly recovered: ReadonlyMap<ArcId, EngineArcStart>
  /** What the state store holds: applied index and the arc time of that entry. */
  readonly applied: readonly (readonly [ArcId, LogIndex, Instant])[]
}

/** Joins log and state of each arc; a fault where they do not fit, and then no arc may start. */
export function loadArcs(loading: Loading): readonly ArcState[] | ReachFault {
  const { self, arcIds, recovered } = loading
  const loaded = new Map(loading.applied.map(([arc, index, time]) => [arc, { index, time }]))
  const arcs: ArcState[] = []
  for (const arc of arcIds) {
    const start = recovered.get(arc) ?? NEW_ARC
    const state = loaded.get(arc) ?? { index: 0, time: 0 }
    const fault = reachFault(arc, start, state.index)
    if (fault !== null) return fault
    const group = soleVoterGroup({ arc, ...self, start, applied: state.index })
    const time = Math.max(state.time, start.lastTime)
    arcs.push(new ArcState(arc, group, state.index, time))
  }
  return arcs
}

const NEW_ARC: EngineArcStart = { ...NO_LOG, lastTime: 0 }
