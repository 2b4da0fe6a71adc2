import type { JobError, Json, JsonObject, StepPlan } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import type { HashText } from '../entry-context.js'
import { outputOf, planOf } from '../job-parts.js'
import type { FanState, JobRow, StepState, UndoState } from '../job-row.js'
import { isoInstant } from '../iso-instant.js'
import { charsLeft } from '../json-chars.js'
import { JOB_VIEW_CHARS } from '../limits.js'
import { keys, type OutputRow } from '../rows-layout.js'
import { taskId } from '../task-id.js'
import { attemptsOf, errorView, instantView, shortErrorView, taskStatus } from './attempt-view.js'
import { progressOf } from './job-progress.js'
import { nextTryOfItems } from './next-try.js'

/** The job as lists show it: api.md's job without its input, output and steps. */
export function jobSummary(row: JobRow): JsonObject {
  return summaryOf(row, waitingFor(row))
}

function summaryOf(row: JobRow, waiting: Json): JsonObject {
  return {
    id: row.id,
    job: row.job,
    status: row.status,
    cause: row.cause,
    run: row.run,
    priority: row.priority,
    labels: row.labels ?? {},
    error: errorView(row.error),
    progress: progressOf(row),
    waitingFor: waiting,
    createdAt: isoInstant(row.createdAt),
    startedAt: instantView(row.startedAt),
    finishedAt: instantView(row.finishedAt),
    runAt: instantView(row.runAt ?? null),
    startBy: instantView(row.startBy ?? null),
    timesOutAt: instantView(row.timesOutAt ?? null),
    affinity: row.affinity ?? null,
    historyTruncated: row.historyTruncated,
  }
}

/** The job of api.md; of a job that is large not every step is whole (JOB_VIEW_CHARS). */
export function jobView(rows: Rows, hash: HashText, row: JobRow): JsonObject {
  const planRow = planOf(rows, row)
  const steps = planRow?.plan.steps ?? []
  const waiting = waitingFor(row, (position) => itemsDue(rows, row, steps, position))
  // Not a literal with a spread: V8 adds what follows a copy in one slow step per member.
  return Object.assign(summaryOf(row, waiting), {
    input: planRow?.input ?? null,
    output: jobOutputOf(rows, row, steps),
    steps: stepViews(rows, hash, { row, plans: steps }),
  })
}

function stepViews(
  rows: Rows,
  hash: HashText,
  { row, plans }: { readonly row: JobRow; readonly plans: readonly StepPlan[] },
): JsonObject[] {
  let left = JOB_VIEW_CHARS
  return row.steps.map((step, position) => {
    const place = { row, step, position, plan: plans[position] }
    if (left < 0) return shortStepView(hash, place)
    const whole = stepView(rows, hash, place)
    const isLast = position === row.steps.length - 1
    if (!isLast) left = charsLeft(whole, left)
    return whole
  })
}

export interface StepOfJob {
  readonly row: JobRow
  readonly step: StepState
  readonly position: number
  readonly plan: StepPlan | undefined
}

/** A step of a job, whole. */
export function stepView(rows: Rows, hash: HashText, place: StepOfJob): JsonObject {
  const { row, step, position } = place
  const { task, undo } = step
  const name = nameOf(place)
  return viewOf(hash, place, {
    output: hasOutput(step) ? (outputOf(rows, row, { position, name })?.output ?? null) : null,
    attempts: attemptsOf(rows, keys.attempts(row.id, name, null), task),
    undoAttempts:
      undo === null ? [] : attemptsOf(rows, keys.undoAttempts(row.id, name, null), undo.task),
    errorView,
  })
}

/** The same without what may be large, which is neither read nor shown; it says so. */
function shortStepView(hash: HashText, place: StepOfJob): JsonObject {
  const left = { output: null, attempts: [], undoAttempts: [], errorView: shortErrorView }
  return { ...viewOf(hash, place, left), truncated: true }
}

/** What of a step may be large. */
interface LargeParts {
  readonly output: Json
  readonly attempts: Json[]
  readonly undoAttempts: Json[]
  readonly errorView: (error: JobError | null) => Json
}

function viewOf(hash: HashText, place: StepOfJob, large: LargeParts): JsonObject {
  const { row, step, plan } = place
  const { task, fan, undo } = step
  const name = nameOf(place)
  return {
    name,
    service: plan?.service ?? '',
    status: stepStatus(row, step),
    output: large.output,
    error: large.errorView(step.error ?? task?.error ?? null),
    task: taskId(hash, row.id, name, null),
    attempts: large.attempts,
    attemptCount: fan?.attemptCount ?? task?.attempt ?? 0,
    lostAttempts: fan?.losses ?? task?.losses ?? 0,
    ...(step.takenFrom === undefined ? {} : { takenFrom: step.takenFrom }),
    ...(fan === null ? {} : { items: fanView(fan) }),
    compensation: undo === null ? null : undoView(undo, large),
  }
}

function nameOf({ plan }: StepOfJob): string {
  return plan?.name ?? ''
}

/** Only then there is a row to look for: a look for none goes to the disk. */
function hasOutput({ phase }: StepState): boolean {
  return phase === 'succeeded'
}

/** Items in sum; each of them is at `/v1/jobs/{id}/steps/{name}/items`. */
function fanView(fan: FanState): JsonObject {
  const { total, succeeded, failed, active } = fan
  return { total, succeeded, failed, active }
}

function undoView(undo: UndoState, large: LargeParts): JsonObject {
  const { task, fan, skipped } = undo
  return {
    status: undoStatus(undo),
    attempts: large.undoAttempts,
    attemptCount: fan?.attemptCount ?? task?.attempt ?? 0,
    ...(fan === null
      ? {}
      : {
          items: {
            left: fan.left,
            active: fan.active,
            succeeded: fan.succeeded,
            failed: fan.failed,
          },
        }),
    error: large.errorView(undo.error ?? task?.error ?? null),
    skipped: skipped === null ? null : { reason: skipped.reason, at: isoInstant(skipped.at) },
  }
}

function jobOutputOf(rows: Rows, row: JobRow, steps: readonly StepPlan[]): Json {
  if (row.ownOutput) return rows.get<OutputRow>(keys.jobOutput(row.id))?.output ?? null
  const [only] = steps
  if (row.status !== 'succeeded' || only === undefined || steps.length > 1) return null
  return outputOf(rows, row, { position: 0, name: only.name })?.output ?? null
}

function stepStatus(row: JobRow, step: StepState): string {
  const { phase, task, fan } = step
  if (phase === 'waiting') return row.phase === 'ended' ? 'skipped' : 'waiting'
  if (fan !== null && fan.active > 0) return row.phase === 'forward' ? 'running' : 'cancelling'
  if (phase !== 'open') return phase
  if (fan !== null) return fan.queued > 0 ? 'queued' : 'waiting'
  return task === null ? 'waiting' : taskStatus(task)
}

function undoStatus({ phase, task, fan }: UndoState): string {
  if (phase !== 'open') return phase
  if (task !== null) return taskStatus(task)
  return fan !== null && fan.active > 0 ? 'running' : 'queued'
}

function itemsDue(
  rows: Rows,
  row: JobRow,
  steps: readonly StepPlan[],
  position: number,
): number | undefined {
  const [step, fan] = [steps[position]?.name, row.steps[position]?.fan ?? null]
  if (step === undefined || fan === null || fan.active === 0) return undefined
  return nextTryOfItems(rows, { job: row.id, step, fan, hook: 'run' })
}

/** @param dueOfItems  when the next item of the step at a position is tried again, where that is asked for */
function waitingFor(
  row: JobRow,
  dueOfItems: (position: number) => number | undefined = () => undefined,
): Json {
  if (row.status === 'scheduled' && row.runAt !== undefined) {
    return { kind: 'timer', until: isoInstant(row.runAt) }
  }
  if (row.status !== 'waiting') return null
  const dues = row.steps.flatMap(({ task }, position) => {
    return (task?.phase === 'backoff' ? task.dueAt : dueOfItems(position)) ?? []
  })
  const [first] = dues.sort((a, b) => a - b)
  return first === undefined ? { kind: 'retry' } : { kind: 'retry', until: isoInstant(first) }
}
