import { advance, beginStopping } from '../advance.js'
import { recallCall, rememberCall } from '../call-keys.js'
import type { CancelCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { JobEdit } from '../job-edit.js'
import type { Applied } from '../outcome.js'
import { jobNotFound } from './refusals.js'

/**
 * Stops a job: what waits is given up, running attempts are told to stop and awaited, and with
 * `compensate` what was done is undone then.
 *
 * Cancel, completion and timeout race; the log decides (core/docs/protocol/ledger.md). Cancelling
 * again is accepted while the job is being cancelled, and may raise `compensate`, never lower it.
 */
export function cancelJob(context: EntryContext, command: CancelCommand): Applied {
  const { id, compensate, idempotency } = command
  const edit = context.job(id)
  if (edit === undefined) return jobNotFound(id)
  const call = recallCall(context, idempotency)
  if (call === 'repeated') return { ok: true, result: 'replayed', shows: { kind: 'job', id } }
  if (call !== 'new') return call
  const refusal = refusalOf(edit)
  if (refusal !== null) return refusal
  rememberCall(context, idempotency)
  cancel(edit, compensate)
  advance(edit)
  return { ok: true, result: 'accepted', shows: { kind: 'job', id } }
}

function refusalOf(edit: JobEdit): Applied | null {
  const { phase, status } = edit.row
  if (phase === 'compensating') {
    const message = `job ${edit.id} is being compensated, which cannot be cancelled`
    return { ok: false, code: 'job_compensating', message }
  }
  if (phase !== 'ended') return null
  const message = `job ${edit.id} has ended: it is ${status}${WAYS_ON[status] ?? ''}`
  return { ok: false, code: 'job_finished', message }
}

/** What an operator who wanted to end such a job is looking for. */
const WAYS_ON: Readonly<Partial<Record<JobEdit['row']['status'], string>>> = {
  compensation_failed:
    '; run the compensation again with retry, or give it up with skip or fail and a reason',
}

/** A job that was stopping because it failed would have compensated: that is kept. */
function cancel(edit: JobEdit, wanted: boolean): void {
  const { phase, cause, compensate } = edit.row
  if (phase === 'forward' || phase === 'scheduled') {
    edit.note({ type: 'cancel_requested', compensate: wanted })
    beginStopping(edit, { cause: 'cancelled', error: null, compensate: wanted })
    return
  }
  const raised = compensate || wanted
  if (cause === 'cancelled' && raised === compensate) return
  edit.note({ type: 'cancel_requested', compensate: raised })
  if (phase === 'failing') {
    const { error } = edit.row
    beginStopping(edit, { cause: 'cancelled', error, compensate: raised })
  } else edit.patch({ cause: 'cancelled', compensate: raised })
}
