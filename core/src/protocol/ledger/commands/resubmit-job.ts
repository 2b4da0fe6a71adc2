import { advance } from '../advance.js'
import { recallMade, rememberCall } from '../call-keys.js'
import type { ResubmitCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { JobEdit } from '../job-edit.js'
import { isDone, type StepState } from '../job-row.js'
import { isFinal } from '../job-status.js'
import { charsLeft } from '../json-chars.js'
import { TAKEN_OVER_CHARS_MAX } from '../limits.js'
import { termsAgain } from '../job-times.js'
import type { Applied } from '../outcome.js'
import type { PlanRow } from '../rows-layout.js'
import { jobNotFound, stepNotFound } from './refusals.js'

/**
 * Makes a new job like one that there is: from the start, or from a step on. Then what the source's
 * other steps have given is taken over, all that the step needs and whatever does not follow from it:
 * they do not run again, and it is not for the new job to undo them. Both jobs are of one arc, so
 * that the new one begins with what the source has at this very entry.
 */
export function resubmitJob(context: EntryContext, command: ResubmitCommand): Applied {
  const { id, source, idempotency } = command
  const made = recallMade(context, idempotency)
  if (typeof made === 'object') return made
  if (made !== undefined || context.job(id) !== undefined) return again(context, made ?? id)
  const origin = context.job(source)
  if (origin === undefined) return jobNotFound(source)
  const taken = command.from === undefined ? [] : takenOver(origin, command.from)
  if ('ok' in taken) return taken
  rememberCall(context, idempotency, id)
  const edit = makeJob(context, origin, command)
  takeOver(edit, origin, taken)
  advance(edit)
  return { ok: true, result: 'accepted', shows: { kind: 'job', id } }
}

function again(context: EntryContext, id: string): Applied {
  if (context.job(id) === undefined) return jobNotFound(id)
  return { ok: true, result: 'replayed', shows: { kind: 'job', id } }
}

function makeJob(context: EntryContext, origin: JobEdit, command: ResubmitCommand): JobEdit {
  const { id, source, from, input = origin.input, traceparent } = command
  const planRow: PlanRow = {
    plan: origin.plan,
    input,
    ...(traceparent === undefined ? {} : { traceparent }),
  }
  const edit = context.createJob(id, planRow, termsAgain(origin.row, context.at))
  edit.note({ type: 'job_submitted' })
  const where = from === undefined ? {} : { from }
  edit.note({ type: 'job_resubmitted', source, run: origin.row.run, ...where })
  return edit
}

function takeOver(edit: JobEdit, origin: JobEdit, positions: readonly number[]): void {
  for (const position of positions) {
    const { name } = edit.stepPlan(position)
    const row = origin.output(name)
    if (row !== undefined) edit.putOutput(position, row)
    if (origin.step(position).phase === 'skipped') {
      edit.patchStep(position, { phase: 'skipped' })
      continue
    }
    const takenFrom = origin.step(position).takenFrom ?? origin.id
    edit.patchStep(position, { phase: 'succeeded', takenFrom })
    edit.note({ type: 'output_taken_over', step: name, source: takenFrom })
  }
}

/** Positions of the steps that the new job has nothing to do for; a refusal when one is missing. */
function takenOver(origin: JobEdit, from: string): number[] | Refusal {
  const { steps } = origin.plan
  const position = origin.positionOf(from)
  if (position === undefined) return stepNotFound(origin.id, from)
  if (origin.step(position).onFailure === true) return runsOnFailure(origin.id, from)
  if (!isFinal(origin.row.status)) return notFinished(origin)
  const behind = new Set([from])
  for (const { name, needs } of steps) if (needs.some((need) => behind.has(need))) behind.add(name)
  const before = new Set([from])
  for (const { name, needs } of [...steps].reverse()) {
    if (before.has(name)) for (const need of needs) before.add(need)
  }
  const taken: number[] = []
  for (const [position, { name }] of steps.entries()) {
    if (behind.has(name)) continue
    if (isLasting(origin.step(position))) taken.push(position)
    else if (before.has(name)) return missing(origin, name, from)
  }
  return isBounded(origin, taken) ? taken : tooMuch(origin, from)
}

function isBounded(origin: JobEdit, taken: readonly number[]): boolean {
  let left = TAKEN_OVER_CHARS_MAX
  for (const position of taken) {
    left = charsLeft(origin.output(origin.stepPlan(position).name), left)
    if (left < 0) return false
  }
  return true
}

/**
 * What was undone, or is to be, is as if it had never been done; what ran because a job had failed
 * has yet to run for another.
 */
function isLasting(step: StepState): boolean {
  return isDone(step) && step.undo === null && step.onFailure !== true
}

type Refusal = Extract<Applied, { readonly ok: false }>

/** It may still fail and undo what would be taken over. */
function notFinished({ id, row }: JobEdit): Refusal {
  const message = `job ${id} is ${row.status}; it can be resubmitted from a step once it has ended, and from the start at any time`
  return { ok: false, code: 'job_not_finished', message }
}

function runsOnFailure(id: string, step: string): Refusal {
  const message = `step ${step} of job ${id} runs only when the job has failed; resubmit it from another step, or from the start`
  return { ok: false, code: 'step_not_found', message }
}

function tooMuch({ id }: JobEdit, from: string): Refusal {
  const mebibytes = TAKEN_OVER_CHARS_MAX / 1024 / 1024
  const message = `what job ${id} has for a resubmission from ${from} to take over is more than ${mebibytes} MiB; resubmit it from an earlier step, or from the start`
  return { ok: false, code: 'payload_too_large', message }
}

function missing(origin: JobEdit, step: string, from: string): Refusal {
  const position = origin.positionOf(step) ?? 0
  const isUndone = origin.step(position).phase === 'succeeded'
  const why = isUndone ? 'was undone, or is to be' : 'has not succeeded'
  const message = `step ${from} needs the output of ${step}, which ${why} in job ${origin.id}; resubmit it from ${step}, or from the start`
  return { ok: false, code: 'output_missing', message }
}
