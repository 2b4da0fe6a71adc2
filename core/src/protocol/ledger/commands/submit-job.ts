import { advance } from '../advance.js'
import type { SubmitCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import { endIfOverdue, termsOf } from '../job-times.js'
import type { Applied } from '../outcome.js'
import { keys, type PlanRow, type SubmissionKeyRow } from '../rows-layout.js'
import { recallSubmission, replayed } from '../submission-keys.js'

/**
 * Stores a job and makes its first steps ready, unless it is to start later.
 *
 * The same idempotency key with the same request gives the job that it made before, in whatever
 * state that is now; of a job that was removed since, its ID and how it ended. A submission that
 * arrives after its `notAfter` stores nothing: it may have been on its way for longer than keys are
 * remembered.
 */
export function submitJob(context: EntryContext, command: SubmitCommand): Applied {
  const { id, plan, input, idempotency, notAfter, traceparent } = command
  const before = idempotency && recallSubmission(context.rows, idempotency)
  if (before !== undefined) return before
  const existing = context.job(id)
  if (existing !== undefined) return replayed(id, existing.row)
  if (notAfter !== undefined && context.at > notAfter) return tooLate()
  const planRow: PlanRow = { plan, input, ...(traceparent === undefined ? null : { traceparent }) }
  const edit = context.createJob(id, planRow, {
    ...termsOf(command, context.at),
    ...(idempotency === undefined ? null : { idempotencyKey: idempotency.key }),
  })
  if (idempotency !== undefined) {
    const row: SubmissionKeyRow = { job: id, fingerprint: idempotency.fingerprint }
    context.rows.put(keys.submissionKey(idempotency.key), row)
  }
  edit.note({ type: 'job_submitted' })
  const { phase, runAt } = edit.row
  if (phase === 'scheduled' && runAt !== undefined)
    edit.note({ type: 'job_scheduled', until: runAt })
  if (!endIfOverdue(edit)) advance(edit)
  return { ok: true, result: 'accepted', shows: { kind: 'job', id } }
}

function tooLate(): Applied {
  return {
    ok: false,
    code: 'too_late',
    message: 'the submission arrived after its notAfter and was not stored; submit it again',
  }
}
