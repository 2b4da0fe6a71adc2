import type { ArcStop } from '../node/messages.js'
import type { Reply } from './outcome.js'

/** Why an arc whose rows have rotted stands still. @param found what is wrong, for a sentence */
export function damagedStop(found: string): ArcStop {
  const message =
    `the state of this arc is damaged: ${found}. The other arcs go on. Check the disk, then start this node ` +
    'again: where its log still reaches back to the first entry of the arc, the arc is rebuilt from it'
  return { code: 'arc_unavailable', message }
}

/** The same of one that a start could not rebuild. */
export function lostStop(found: string, firstIndex: number): ArcStop {
  const message =
    `the state of this arc is damaged: ${found}. The other arcs go on. The log no longer reaches back to ` +
    `entries 1 to ${firstIndex - 1}, so that the arc cannot be rebuilt from it: restore the data folder ` +
    'from a backup, or go on without this arc'
  return { code: 'arc_unavailable', message }
}

/** To whoever asked for a change that is in the log of an arc that stands still. */
export function inTheLog({ message }: ArcStop): Reply {
  const text = `the change is in the log and not applied, since ${message}`
  return { ok: false, code: 'outcome_unknown', message: text }
}
