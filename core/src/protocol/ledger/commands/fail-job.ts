import { recallCall, rememberCall } from '../call-keys.js'
import type { FailCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import { finishJob } from '../finish-job.js'
import type { JobEdit } from '../job-edit.js'
import type { Applied } from '../outcome.js'
import { jobNotFound } from './refusals.js'

/**
 * An operator's last way out of a failed compensation: nothing more is undone, the job ends `failed`
 * for good, and the reason stays in its history. What could not be undone is left to people.
 */
export function failJob(context: EntryContext, command: FailCommand): Applied {
  const { id, reason, idempotency } = command
  const edit = context.job(id)
  if (edit === undefined) return jobNotFound(id)
  const call = recallCall(context, idempotency)
  if (call === 'repeated') return { ok: true, result: 'replayed', shows: { kind: 'job', id } }
  if (call !== 'new') return call
  const { status } = edit.row
  if (status !== 'compensation_failed') {
    const message = `job ${id} is ${status}; only a job whose compensation has failed can be given up`
    return { ok: false, code: 'nothing_to_fail', message }
  }
  rememberCall(context, idempotency)
  edit.patch({ isGivenUp: true })
  edit.note({ type: 'compensation_given_up', reason })
  skipRest(edit, reason)
  finishJob(edit)
  return { ok: true, result: 'accepted', shows: { kind: 'job', id } }
}

/** What would have been undone next never will be, and its step says so. */
function skipRest(edit: JobEdit, reason: string): void {
  const skipped = { reason, at: edit.context.at }
  edit.steps.forEach(({ undo }, position) => {
    if (undo?.phase !== 'waiting') return
    edit.patchUndo(position, { phase: 'skipped', skipped })
    edit.context.tally?.stepUndone('skipped')
  })
}
