import type { NoteAttemptCommand } from '../command.js'
import { currentAttempt } from '../end-attempt.js'
import type { EntryContext } from '../entry-context.js'
import { keepNotes } from '../attempt-notes.js'
import type { Applied } from '../outcome.js'
import { staleAttempt } from './refusals.js'

/**
 * Takes what a running attempt has to tell: it is shown at once, and whoever follows the job is told.
 * Only the current attempt's counts, like its report.
 */
export function noteAttempt(context: EntryContext, command: NoteAttemptCommand): Applied {
  const current = currentAttempt(context, command.attempt)
  if (current === undefined) return staleAttempt()
  keepNotes(current, command)
  const { edit } = current
  edit.patch({ notes: (edit.row.notes ?? 0) + 1 })
  edit.tellFollowers()
  return { ok: true, result: 'done' }
}
