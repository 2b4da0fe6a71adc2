import type { JobPlan, Json, StepPlan } from '@gyre/jobs'
import { assert, broken } from '../../base/assert.js'
import type { Instant } from '../../base/ids.js'
import type { EntryContext } from './entry-context.js'
import { type HistoryDetail, type HistoryEvent, isMilestone } from './history.js'
import type { JobStatus } from '../../base/job-statuses.js'
import { eventsOf, isSmallOutput, outputOf, planOf } from './job-parts.js'
import type { FanState, JobRow, StepState, UndoFan, UndoState } from './job-row.js'
import { type JobTimer, jobTimers } from './job-timers.js'
import { HISTORY_CHUNK_EVENTS, HISTORY_EVENTS_MAX, HISTORY_EVENTS_RESERVED } from './limits.js'
import {
  type HistoryRow,
  type JobIndexRow,
  keys,
  type OutputRow,
  placeOf,
  type PlanRow,
  type TimerRow,
  type PurgeRow,
} from './rows-layout.js'
import { unchangingIndexKeys } from './job-index.js'
import { isFinal, statusOf } from './job-status.js'
import { purgeAt } from './retention.js'
import { isActive } from './task.js'

/**
 * The working copy of one job in one entry. Leaves change it through `patch…`; `save` writes the
 * row, the new events and the job's place in the lists once.
 *
 * Not its job: what a change means (advance.ts) and the rows that follow a task (task-rows.ts).
 */
export class JobEdit {
  readonly context: EntryContext
  readonly #row: WorkingRow
  readonly #steps: StepState[]
  #planRow: PlanRow | undefined
  #positions: Map<string, number> | undefined
  readonly #events: HistoryEvent[] = []
  /** Status under which lists know the job; null: they do not yet. */
  readonly #listedAs: JobStatus | null
  /** Timers that have rows. */
  readonly #timers: readonly JobTimer[]
  /** When its removal is due, as the rows have it. */
  readonly #purgeAt: Instant | null
  #changed: boolean
  #tellsFollowers = false

  static ofStored(context: EntryContext, row: JobRow): JobEdit {
    return new JobEdit(context, { ...row, steps: row.steps.slice() }, row)
  }

  /** @param row  made for this edit: nobody else has it */
  static ofNew(context: EntryContext, row: WorkingRow): JobEdit {
    return new JobEdit(context, row, null)
  }

  private constructor(context: EntryContext, row: WorkingRow, stored: JobRow | null) {
    this.context = context
    this.#row = row
    this.#steps = row.steps
    this.#listedAs = stored?.status ?? null
    this.#timers = stored === null ? [] : jobTimers(stored)
    this.#purgeAt = stored === null ? null : purgeAt(stored)
    this.#changed = stored === null
  }

  get row(): JobRow {
    return this.#row
  }

  get id(): string {
    return this.#row.id
  }

  get plan(): JobPlan {
    return this.#plan.plan
  }

  get input(): Json {
    return this.#plan.input
  }

  get traceparent(): string | undefined {
    return this.#plan.traceparent
  }

  get steps(): readonly StepState[] {
    return this.#steps
  }

  step(position: number): StepState {
    const step = this.#steps[position]
    if (step === undefined) broken(`job ${this.id} has no step at ${position}`)
    return step
  }

  stepPlan(position: number): StepPlan {
    const step = this.plan.steps[position]
    if (step === undefined) broken(`the plan of job ${this.id} has no step at ${position}`)
    return step
  }

  /** Position of a step in the plan; undefined when there is none of that name. */
  positionOf(name: string): number | undefined {
    const { steps } = this.plan
    if (steps.length === 1) return steps[0]?.name === name ? 0 : undefined
    this.#positions ??= new Map(steps.map((step, position) => [step.name, position]))
    return this.#positions.get(name)
  }

  output(name: string): OutputRow | undefined {
    const position = this.positionOf(name)
    if (position === undefined) return undefined
    return outputOf(this.context.rows, this.row, { position, name })
  }

  /** To be called for a step that has none. */
  putOutput(position: number, output: OutputRow): void {
    const { name } = this.stepPlan(position)
    const isInRow = this.#row.parts !== undefined && isSmallOutput(output)
    if (isInRow) this.patchStep(position, { output })
    else this.context.rows.put(keys.output(this.id, name), output)
  }

  dropOutput(position: number): void {
    const { output, ...step } = this.step(position)
    const { name } = this.stepPlan(position)
    if (output === undefined) return this.context.rows.delete(keys.output(this.id, name))
    this.#steps[position] = step
    this.#changed = true
  }

  patch(changes: Partial<Omit<JobRow, 'steps' | 'status'>>): void {
    Object.assign(this.#row, changes)
    this.#changed = true
  }

  patchStep(position: number, changes: Partial<StepState>): void {
    // Not a spread: V8 gives the copy of a copy a new shape each time, and is slow with many shapes.
    this.#steps[position] = Object.assign({}, this.step(position), changes)
    this.#changed = true
  }

  patchFan(position: number, changes: Partial<FanState>): FanState {
    const { fan } = this.step(position)
    assert(fan !== null, `step ${position} of job ${this.id} has no items`)
    const changed = { ...fan, ...changes }
    this.patchStep(position, { fan: changed })
    return changed
  }

  patchUndo(position: number, changes: Partial<UndoState>): void {
    const { undo } = this.step(position)
    assert(undo !== null, `step ${position} of job ${this.id} is not to be undone`)
    this.patchStep(position, { undo: { ...undo, ...changes } })
  }

  patchUndoFan(position: number, changes: Partial<UndoFan>): UndoFan {
    const fan = this.step(position).undo?.fan ?? null
    assert(fan !== null, `step ${position} of job ${this.id} has no items to undo`)
    const changed = { ...fan, ...changes }
    this.patchUndo(position, { fan: changed })
    return changed
  }

  /** Adds to the timeline, unless it is full. */
  note(detail: HistoryDetail): void {
    const { eventCount } = this.#row
    const places = isMilestone(detail) ? 0 : HISTORY_EVENTS_RESERVED
    if (eventCount + places >= HISTORY_EVENTS_MAX) {
      if (!this.#row.historyTruncated) this.patch({ historyTruncated: true })
      return
    }
    this.#events.push(Object.assign({ seq: eventCount + 1, at: this.context.at }, detail))
    this.patch({ eventCount: eventCount + 1 })
  }

  /** There is news that is no event. */
  tellFollowers(): void {
    this.#tellsFollowers = true
  }

  /** Called once, when the entry is done: what is put may not change any more. */
  save(): void {
    if (!this.#changed) return
    const status = statusOf(this.#row, this.#steps)
    this.#row.status = status
    this.#saveEvents()
    this.context.rows.put(keys.job(this.id), this.#row)
    if (this.#tellsFollowers) this.context.effects.push({ kind: 'job-told', job: this.id })
    this.#saveTimers()
    this.#savePurge()
    if (status === this.#listedAs) return
    this.#saveListing(status)
    if (!isFinal(status)) return
    this.context.tally?.jobEnded(status)
    this.#assertAtRest()
    this.context.effects.push({ kind: 'job-final', job: this.id })
  }

  #saveEvents(): void {
    const { rows } = this.context
    for (let from = 0; from < this.#events.length; ) {
      const seq = this.#events[from]?.seq ?? 0
      const chunk = Math.floor((seq - 1) / HISTORY_CHUNK_EVENTS)
      const room = (chunk + 1) * HISTORY_CHUNK_EVENTS - (seq - 1)
      const isNew = (seq - 1) % HISTORY_CHUNK_EVENTS === 0
      const before = isNew ? [] : eventsOf(rows, this.#row, chunk)
      const events = before.concat(this.#events.slice(from, from + room))
      const { parts } = this.#row
      if (chunk === 0 && parts !== undefined) this.#row.parts = { ...parts, events }
      else rows.put(keys.history(this.id, chunk), { events } satisfies HistoryRow)
      from += room
    }
    if (this.#events.length > 0) this.tellFollowers()
    this.#events.length = 0
  }

  #saveTimers(): void {
    const { rows } = this.context
    const timers = jobTimers(this.#row)
    if (this.#timers.length + timers.length === 0) return
    const keyOf = ({ dueAt, kind }: JobTimer): string => keys.jobTimer(dueAt, this.id, kind)
    const before = new Set(this.#timers.map(keyOf))
    const after = new Map(timers.map((timer) => [keyOf(timer), timer.kind]))
    const gone = [...before].filter((key) => !after.has(key))
    const added = [...after].filter(([key]) => !before.has(key))
    if (gone.length + added.length === 0) return
    for (const key of gone) rows.delete(key)
    for (const [key, kind] of added) {
      const row: TimerRow = { kind, job: this.id }
      rows.insert(key, row)
    }
    this.context.noteTimersChanged()
  }

  #savePurge(): void {
    const { context, id } = this
    const due = purgeAt(this.#row)
    if (due === this.#purgeAt) return
    const purgeRow: PurgeRow = { kind: 'job', job: id }
    if (this.#purgeAt !== null) context.rows.delete(keys.purgeJob(this.#purgeAt, id))
    if (due !== null) context.rows.insert(keys.purgeJob(due, id), purgeRow)
    context.noteTimersChanged()
  }

  #saveListing(status: JobStatus): void {
    const { context } = this
    const { createdAt, job } = this.#row
    const place = placeOf(createdAt, this.id)
    if (this.#listedAs === null) {
      context.tally?.jobSubmitted()
      for (const key of unchangingIndexKeys(context.hash, this.#row)) context.rows.insert(key, {})
    } else {
      context.rows.delete(keys.jobsOf(this.#listedAs) + place)
      context.countJobs(this.#row, this.#listedAs, -1)
    }
    const index: JobIndexRow = { job }
    context.rows.insert(keys.jobsOf(status) + place, index)
    context.countJobs(this.#row, status, 1)
  }

  /** A job that has ended holds no lease, no timer and no place in a queue. */
  #assertAtRest(): void {
    const { running, ready } = this.#row
    if (running > 0 || ready > 0) {
      broken(`job ${this.id} ended with ${running} running, ${ready} ready`)
    }
    for (const { task, undo } of this.#steps) {
      if (isActive(task) || isActive(undo?.task ?? null)) {
        broken(`job ${this.id} ended with an active task`)
      }
    }
  }

  get #plan(): PlanRow {
    this.#planRow ??= planOf(this.context.rows, this.#row)
    return this.#planRow ?? broken(`job ${this.id} has no plan`)
  }
}

/** What one entry works on; rows themselves are never written into. */
export type WorkingRow = Omit<Mutable<JobRow>, 'steps'> & { steps: StepState[] }

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] }
