import type { JobPlan } from '@gyre/jobs'
import { assert } from '../../../base/assert.js'

/**
 * Judges a job by its timeline alone: which steps did or may have done something, which of them were
 * undone, in which order, and with how many attempts. Knows nothing of the ledger's rows.
 */

export interface ToldEvent {
  readonly seq: number
  readonly type: string
  readonly step?: string
  readonly index?: number
  readonly hook?: string
  readonly need?: string
  readonly attempt?: number
  readonly outcome?: string
  readonly fence?: number
  readonly source?: string
  readonly run?: number
  readonly from?: string
  readonly service?: string
  readonly node?: string
  readonly reason?: string
  readonly text?: string
}

interface TaskStory {
  readonly step: string
  readonly index: number | undefined
  /** Seq of the newest end of an attempt, and whether it may have had an effect. */
  endedAt: number
  touched: boolean
  done: boolean
  running: boolean
  /** The running attempt was told to stop. */
  stopping: boolean
  attempts: number
  /** Failed or timed out in this run: what the retry policy counts. */
  charged: number
}

export function checkStory(plan: JobPlan, events: readonly ToldEvent[], status: string): void {
  const runs = new Map<string, TaskStory>()
  const undos = new Map<string, TaskStory>()
  const skipped = new Set<string>()
  const isGivenUp = events.some(({ type }) => type === 'compensation_given_up')
  let fence = 0
  for (const event of events) {
    if (event.type === 'compensation_skipped') skipped.add(event.step ?? '')
    if (event.type === 'job_retried') beginRun(plan, runs)
    if (event.type === 'compensation_retried') freshBudgets(undos)
    if (typeof event.attempt !== 'number') continue
    const isUndo = event.hook === 'compensate'
    const story = storyOf(isUndo ? undos : runs, event)
    if (event.type === 'attempt_started') {
      assert((event.fence ?? 0) > fence, `the fence of ${event.step ?? ''} does not rise`)
      fence = event.fence ?? 0
      onStarted(plan, event, story, isUndo)
      if (isUndo) checkUndoStart(plan, { runs, undos, skipped, isGivenUp }, story)
    } else if (event.type === 'attempt_stopping') story.stopping = true
    else if (event.type === 'attempt_ended') onEnded(event, story)
  }
  checkEnd(plan, { runs, undos, skipped, isGivenUp }, status)
  checkRefusals(plan, events)
  checkStops(events)
}

/** What must have been told before for an attempt to be stopped for a reason. */
const BEFORE_STOP: Readonly<Record<string, string>> = {
  cancelled: 'cancel_requested',
  job_failed: 'step_failed',
  job_timed_out: 'job_timed_out',
}

/** An attempt is stopped for what has happened to its job in this run, or for its own timeout. */
function checkStops(events: readonly ToldEvent[]): void {
  const told = new Set<string>()
  for (const { type, step = '', reason = '' } of events) {
    if (type === 'job_retried') told.clear()
    told.add(type)
    if (type !== 'attempt_stopping' || reason === 'timed_out') continue
    const before = BEFORE_STOP[reason]
    assert(before !== undefined && told.has(before), `${step} is stopped with ${reason}, untold`)
  }
}

/** A refusal is told once to a step, of its own service, until an attempt is made or a run begins. */
function checkRefusals(plan: JobPlan, events: readonly ToldEvent[]): void {
  const told = new Map<string, string>()
  for (const { type, step = '', hook = 'run', service, node, reason, text } of events) {
    const name = `${step} ${hook}`
    if (type === 'job_retried') told.clear()
    if (type === 'attempt_started') told.delete(name)
    if (type !== 'service_refused') continue
    const refusal = JSON.stringify([node, reason, text])
    assert(told.get(name) !== refusal, `${name} is told twice that its service is refused`)
    told.set(name, refusal)
    const found = plan.steps.find((one) => one.name === step)
    const own = hook === 'run' ? found?.service : found?.compensate?.service
    assert(own === service, `${name} does not run on ${service ?? ''}`)
  }
}

function storyOf(stories: Map<string, TaskStory>, event: ToldEvent): TaskStory {
  const name = nameOf(event.step ?? '', event.index)
  const known = stories.get(name)
  if (known !== undefined) return known
  const story: TaskStory = {
    step: event.step ?? '',
    index: event.index,
    endedAt: 0,
    touched: false,
    done: false,
    running: false,
    stopping: false,
    attempts: 0,
    charged: 0,
  }
  stories.set(name, story)
  return story
}

/** A new run may fail as well, and its failure steps tell of that failure. */
function beginRun(plan: JobPlan, runs: ReadonlyMap<string, TaskStory>): void {
  freshBudgets(runs)
  for (const { name, onFailure } of plan.steps) {
    const story = onFailure === true ? runs.get(nameOf(name, undefined)) : undefined
    if (story !== undefined) story.done = false
  }
}

function freshBudgets(stories: ReadonlyMap<string, TaskStory>): void {
  for (const story of stories.values()) story.charged = 0
}

function onStarted(plan: JobPlan, event: ToldEvent, story: TaskStory, isUndo: boolean): void {
  assert(!story.running, `${story.step} was started while an attempt of it ran`)
  assert(!story.done, `${story.step} was started after it had succeeded`)
  assert(event.attempt === story.attempts + 1, `attempts of ${story.step} do not count up by one`)
  story.running = true
  story.attempts += 1
  const step = plan.steps.find(({ name }) => name === story.step)
  const policy = isUndo ? step?.compensate?.retry : step?.retry
  assert(story.charged < (policy?.attempts ?? 0), `${story.step} has more attempts than its policy`)
}

function onEnded(event: ToldEvent, story: TaskStory): void {
  assert(story.running, `an attempt of ${story.step} ended twice`)
  const outcome = event.outcome
  story.running = false
  story.endedAt = event.seq
  if (outcome === 'succeeded') story.done = true
  // A failure of an attempt that was told to stop may be one half-way.
  const isClean = outcome === 'not_started' || (outcome === 'failed' && !story.stopping)
  if (!isClean) story.touched = true
  if (outcome === 'failed' || outcome === 'timed_out') story.charged += 1
  story.stopping = false
}

interface Stories {
  readonly runs: ReadonlyMap<string, TaskStory>
  readonly undos: ReadonlyMap<string, TaskStory>
  readonly skipped: ReadonlySet<string>
  /** An operator has ended the job after a compensation had failed. */
  readonly isGivenUp: boolean
}

/** A step is undone only when nothing of the job runs, and all that ended later is undone. */
function checkUndoStart(plan: JobPlan, { runs, undos, skipped }: Stories, undo: TaskStory): void {
  for (const story of runs.values()) {
    assert(!story.running, `${undo.step} is undone while ${story.step} runs`)
  }
  const own = runs.get(nameOf(undo.step, undo.index))
  assert(own?.touched === true, `${nameOf(undo.step, undo.index)} is undone without having acted`)
  for (const [name, story] of runs) {
    if (!isOwed(plan, story) || lastEnd(runs, story.step) <= lastEnd(runs, undo.step)) continue
    const settled = undos.get(name)?.done === true || skipped.has(story.step)
    assert(settled, `${undo.step} is undone before ${story.step}, which ended later`)
  }
}

function lastEnd(runs: ReadonlyMap<string, TaskStory>, step: string): number {
  const ends = [...runs.values()].filter((story) => story.step === step)
  return ends.reduce((last, { endedAt }) => Math.max(last, endedAt), 0)
}

function isOwed(plan: JobPlan, story: TaskStory): boolean {
  return story.touched && plan.steps.find(({ name }) => name === story.step)?.compensate !== null
}

function checkEnd(plan: JobPlan, stories: Stories, status: string): void {
  const { runs, undos, skipped, isGivenUp } = stories
  for (const story of [...runs.values(), ...undos.values()]) {
    assert(!story.running, `the job is ${status} while an attempt of ${story.step} runs`)
  }
  const owed = [...runs].filter(([, story]) => isOwed(plan, story))
  const open = owed.filter(([name, { step }]) => !undos.get(name)?.done && !skipped.has(step))
  if (status === 'compensated') assert(open.length === 0, `not undone: ${namesOf(open)}`)
  assert(!isGivenUp || status === 'failed', `a job that was given up is ${status}`)
  const isLeft = owed.length > 0 && !isGivenUp
  if (status === 'failed') assert(!isLeft, `failed without undoing ${namesOf(owed)}`)
  if (status === 'succeeded' || status === 'cancelled') {
    assert(undos.size === 0, `a job that is ${status} has undone something`)
  }
}

function nameOf(step: string, index: number | undefined): string {
  return `${step} ${index ?? '-'}`
}

function namesOf(stories: readonly (readonly [string, TaskStory])[]): string {
  return stories.map(([name]) => name).join(', ')
}
