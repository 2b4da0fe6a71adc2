import { type ArcId, arcName, type LogIndex } from '../../base/ids.js'
import type { EngineArcStart } from './engine-types.js'

/** Why a node cannot resume from what its disk holds. */
export interface ReachFault {
  readonly code: 'state_lost' | 'log_lost'
  readonly message: string
}

/**
 * The state must be continued by the log without a gap, and must not know more than the log: a state
 * store that was deleted is rebuilt from a log that reaches back to its first entry, else the node
 * says what is lost and refuses to pretend.
 *
 * @param applied  applied index of the arc in the state store, 0 when it has none
 * @returns null when all is well
 */
export function reachFault(
  arc: ArcId,
  start: Pick<EngineArcStart, 'firstIndex' | 'lastIndex'>,
  applied: LogIndex,
): ReachFault | null {
  if (applied + 1 < start.firstIndex) {
    const lost = `entries ${applied + 1} to ${start.firstIndex - 1} of ${arcName(arc)}`
    const message =
      `the state store lacks ${lost}, and the log no longer reaches back to them; ` +
      'restore the folder `state` from a backup, or start a new node in an empty folder'
    return { code: 'state_lost', message }
  }
  if (applied > start.lastIndex) {
    const message =
      `the state store has applied entry ${applied} of ${arcName(arc)}, but the log ends at ` +
      `${start.lastIndex}: acknowledged entries are missing from the log; restore the folder ` +
      '`log` from where it was moved to, or start a new node in an empty folder'
    return { code: 'log_lost', message }
  }
  return null
}
