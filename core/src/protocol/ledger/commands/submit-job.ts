import { advance } from '../advance.js'
import { keyReused } from '../call-keys.js'
import type { IdempotencyStamp, SubmitCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import { isFinal } from '../job-status.js'
import { endIfOverdue, termsOf } from '../job-times.js'
import type { Applied } from '../outcome.js'
import { keys, type PlanRow, type SubmissionKeyRow } from '../rows-layout.js'

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
  const known = recallSubmission(context, idempotency) ?? id
  if (typeof known !== 'string') return known
  const existing = context.job(known)
  if (existing !== undefined) {
    const result = isFinal(existing.row.status) ? 'replayed-final' : 'replayed'
    return { ok: true, result, shows: { kind: 'job', id: known } }
  }
  if (notAfter !== undefined && context.at > notAfter) return tooLate()
  const planRow: PlanRow = { plan, input, ...(traceparent === undefined ? {} : { traceparent }) }
  const edit = context.createJob(id, planRow, {
    ...termsOf(command, context.at),
    ...(idempotency === undefined ? {} : { idempotencyKey: idempotency.key }),
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

/** The job that this key has made, or what is left of it; undefined: none has, or there is no key. */
function recallSubmission(
  context: EntryContext,
  stamp: IdempotencyStamp | undefined,
): string | undefined | Applied {
  if (stamp === undefined) return undefined
  const row = context.rows.get<SubmissionKeyRow>(keys.submissionKey(stamp.key))
  if (row === undefined) return undefined
  if (row.fingerprint !== stamp.fingerprint) return keyReused()
  if (row.purged === undefined) return row.job
  const shows = { kind: 'purged-job', id: row.job, status: row.purged.status } as const
  return { ok: true, result: 'replayed-final', shows }
}

function tooLate(): Applied {
  return {
    ok: false,
    code: 'too_late',
    message: 'the submission arrived after its notAfter and was not stored; submit it again',
  }
}
