import { recallCall, rememberCall } from '../call-keys.js'
import type { DeleteJobCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { isFinishedForGood, purgeNow } from '../retention.js'
import { jobNotFound } from './refusals.js'

/** Removes a finished job before its time. A repeat under the same key is recognised when it is gone. */
export function deleteJob(context: EntryContext, command: DeleteJobCommand): Applied {
  const { id, idempotency } = command
  const call = recallCall(context, idempotency)
  if (typeof call !== 'string') return call
  if (call === 'repeated') return { ok: true, result: 'deleted', replayed: true }
  const edit = context.job(id)
  if (edit === undefined) return jobNotFound(id)
  const { status } = edit.row
  if (!isFinishedForGood(status)) return notFinished(id, status)
  rememberCall(context, idempotency)
  purgeNow(context, edit.row)
  return { ok: true, result: 'deleted' }
}

function notFinished(id: string, status: string): Applied {
  const way =
    status === 'compensation_failed'
      ? 'run its compensation again with retry, or give it up with skip or fail and a reason'
      : 'cancel it, or wait for its end'
  const message = `job ${id} is ${status}, only finished jobs can be deleted; ${way}`
  return { ok: false, code: 'job_not_finished', message }
}
