import type { FinishAttemptCommand } from '../command.js'
import { currentAttempt, endAttempt } from '../end-attempt.js'
import type { EntryContext } from '../entry-context.js'
import { keepNotes } from '../attempt-notes.js'
import type { Applied } from '../outcome.js'
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
  return { ok: true, result: 'done' }
}
