import { recallCall, rememberCall } from '../call-keys.js'
import type { SkipCommand } from '../command.js'
import { advanceCompensation } from '../compensation.js'
import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { jobNotFound, stepNotFound } from './refusals.js'

/**
 * An operator's way past a compensation that cannot succeed: the step counts as dealt with by hand,
 * the reason is recorded, and the compensation of the other steps goes on.
 */
export function skipCompensation(context: EntryContext, command: SkipCommand): Applied {
  const { id, step, reason, idempotency } = command
  const edit = context.job(id)
  if (edit === undefined) return jobNotFound(id)
  const call = recallCall(context, idempotency)
  if (call === 'repeated') return { ok: true, result: 'replayed', shows: { kind: 'job', id } }
  if (call !== 'new') return call
  const position = edit.positionOf(step)
  if (position === undefined) return stepNotFound(id, step)
  const { status } = edit.row
  if (status !== 'compensation_failed' || edit.step(position).undo?.phase !== 'failed') {
    const message = `the compensation of step ${step} of job ${id} has not failed; only that can be skipped`
    return { ok: false, code: 'nothing_to_skip', message }
  }
  rememberCall(context, idempotency)
  edit.patch({ phase: 'compensating', finishedAt: null })
  edit.patchUndo(position, { phase: 'skipped', skipped: { reason, at: context.at } })
  edit.note({ type: 'compensation_skipped', step, reason })
  context.tally?.stepUndone('skipped')
  advanceCompensation(edit)
  return { ok: true, result: 'accepted', shows: { kind: 'job', id } }
}
