import type { EntryContext } from './entry-context.js'
import type { JobEdit } from './job-edit.js'
import type { ToldRefusal } from './job-row.js'
import { REFUSED_TOLD_PER_ENTRY } from './limits.js'
import {
  endOf,
  keys,
  type ReadyRow,
  type RefusalRow,
  type RefusalToTell,
  type TellingRow,
} from './rows-layout.js'
import { serviceOf, type TaskPlace, taskAt } from './task-rows.js'

/**
 * Tells a job's timeline that a step of it could start and the node will not take its service: else a
 * history would say nothing of what a job waits for, however long.
 *
 * E1  a step that is ready when an entry is done, on a service that the arc knows to be refused, has been
 *     told of it by then, or stands behind the cursor of a telling that is still under way
 * E2  the same refusal is told once per step and run, until an attempt of the step is made; the items of a
 *     `forEach` are told of as one
 *
 * Not its job: which services are refused (node/refused-services.ts).
 */

/** E1, for what the entry has made ready. What it has also started, as most do, costs no look at a row. */
export function tellRefused(context: EntryContext): void {
  for (const { edit, place } of context.madeReady) {
    if (!isReady(edit, place)) continue
    const service = serviceOf(edit, place)
    const refusal = context.rows.get<RefusalRow>(keys.refusal(service))
    if (refusal !== undefined) tell(edit, place, service, refusal)
  }
}

/** Begins to tell the steps that wait already. Those that come behind are told when they do. */
export function beginTelling(context: EntryContext, services: readonly string[]): void {
  const begun = services.map((service) => ({ service, from: keys.readyOf(service) }))
  saveTelling(context, [...endTelling(context, services), ...begun])
  tellSlice(context)
}

/** Services that are not refused any more, or for another reason. @returns what is left of the others */
export function endTelling(
  context: EntryContext,
  services: readonly string[],
): readonly RefusalToTell[] {
  const left = telling(context).filter(({ service }) => !services.includes(service))
  saveTelling(context, left)
  return left
}

/** As many of the tasks that waited before as one entry may look at. */
export function tellSlice(context: EntryContext): void {
  const before = telling(context)
  if (before.length === 0) return
  const left: RefusalToTell[] = []
  let looks = REFUSED_TOLD_PER_ENTRY
  for (const one of before) {
    const page = readyFrom(context, one, looks)
    for (const { value } of page) tellOne(context, one.service, value)
    const last = page.at(-1)
    if (last !== undefined && page.length === looks)
      left.push({ ...one, from: `${last.key}\u0000` })
    else if (looks === 0) left.push(one)
    looks -= page.length
  }
  saveTelling(context, left)
}

function readyFrom({ rows }: EntryContext, { service, from }: RefusalToTell, limit: number) {
  return rows.scan<ReadyRow>(from, endOf(keys.readyOf(service)), limit)
}

function tellOne(context: EntryContext, service: string, row: ReadyRow): void {
  const refusal = context.rows.get<RefusalRow>(keys.refusal(service))
  const edit = context.job(row.job)
  const position = edit?.positionOf(row.step)
  if (refusal === undefined || edit === undefined || position === undefined) return
  tell(edit, { position, index: row.index, hook: row.hook }, service, refusal)
}

function telling({ rows }: EntryContext): readonly RefusalToTell[] {
  return rows.get<TellingRow>(keys.tellingDue())?.left ?? []
}

function saveTelling(context: EntryContext, left: readonly RefusalToTell[]): void {
  const row: TellingRow = { kind: 'tell-refused', left }
  if (left.length > 0) context.rows.put(keys.tellingDue(), row)
  else if (telling(context).length > 0) context.rows.delete(keys.tellingDue())
  else return
  context.noteTimersChanged()
}

/** E2. */
function tell(edit: JobEdit, place: TaskPlace, service: string, refusal: RefusalRow): void {
  const { position, hook } = place
  const { node, reason, text, mark } = refusal
  const before = toldAt(edit, place)
  const told: ToldRefusal = { run: edit.row.run, attempts: attemptsOf(edit, place), mark }
  if (before !== undefined && isSame(before, told)) return
  if (hook === 'run') edit.patchStep(position, { refused: told })
  else edit.patchUndo(position, { refused: told })
  const of = hook === 'run' ? {} : { hook }
  const { name: step } = edit.stepPlan(position)
  edit.note({ type: 'service_refused', step, ...of, service, node, reason, text })
}

function toldAt(edit: JobEdit, { position, hook }: TaskPlace): ToldRefusal | undefined {
  const { undo, refused } = edit.step(position)
  return hook === 'run' ? refused : undo?.refused
}

function isSame(a: ToldRefusal, b: ToldRefusal): boolean {
  return a.mark === b.mark && a.attempts === b.attempts && a.run === b.run
}

function attemptsOf(edit: JobEdit, { position, hook }: TaskPlace): number {
  const { task, fan, undo } = edit.step(position)
  const of = hook === 'run' ? { task, fan } : { task: undo?.task, fan: undo?.fan }
  return of.fan?.attemptCount ?? of.task?.attempt ?? 0
}

function isReady(edit: JobEdit, place: TaskPlace): boolean {
  const { position, index, hook } = place
  const { fan, undo } = edit.step(position)
  const queue = hook === 'run' ? fan : (undo?.fan ?? null)
  if (index === null && queue !== null) return queue.queued > 0
  return taskAt(edit, place)?.phase === 'ready'
}
