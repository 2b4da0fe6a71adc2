import type { FinishAttemptCommand } from '../command.js'
import { type CurrentAttempt, currentAttempt, endAttempt } from '../end-attempt.js'
import type { EntryContext } from '../entry-context.js'
import { keepNotes } from '../attempt-notes.js'
import type { Applied } from '../outcome.js'
import { taskAt } from '../task-rows.js'
import { staleAttempt } from './refusals.js'

/**
 * Takes the report of an attempt's end. Only the current attempt's counts: one that was ended before
 * (by proof that its process is gone) or that a later one has replaced is stale and changes nothing.
 */
export function finishAttempt(context: EntryContext, command: FinishAttemptCommand): Applied {
  const current = currentAttempt(context, command.attempt)
  if (current === undefined) return staleAttempt()
  // First: the end of the attempt may be the end of the job.
  keepNotes(current, command)
  endAttempt(current.edit, current.place, command.outcome)
  shareResult(current, command)
  return { ok: true, result: 'done' }
}

/** Only what the ledger took for a success is shared, and only by the job that has done it. */
function shareResult(
  { edit, place, task }: CurrentAttempt,
  { memo: key, outcome }: FinishAttemptCommand,
): void {
  const { memoize } = edit.stepPlan(place.position)
  if (key === undefined || memoize === undefined || outcome.kind !== 'succeeded') return
  if (outcome.memoizedFrom !== undefined || task.newest === null) return
  if (taskAt(edit, place)?.phase !== 'succeeded') return
  const { node, boot } = task.newest
  const { forMs } = memoize
  const output = outcome.output ?? null
  const memo = { kind: 'keep-memo', key, job: edit.id, output, forMs } as const
  edit.context.effects.push({ kind: 'memoize', node, boot, memo })
}
