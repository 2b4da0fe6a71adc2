import type { Rows } from '../state/rows.js'
import type { HistoryEvent } from './history.js'
import type { JobParts, JobRow } from './job-row.js'
import { SMALL_JOB_STEPS, SMALL_OUTPUT_CHARS, SMALL_PLAN_CHARS } from './limits.js'
import { charsLeft } from './json-chars.js'
import { type HistoryRow, keys, type OutputRow, type PlanRow } from './rows-layout.js'

/**
 * Where a job's plan, outputs and history stand. A small job, as most are, has them in its own row:
 * each row costs its own key, its own place in the overlay and its own insertion into the state
 * store, which is what most of a short job's work was. Any other job has rows for them: its plan
 * never changes and may be large, so it must not be written again with every step.
 *
 * What is small is decided when the job is made, and for each output when it comes. Jobs of versions
 * that knew no such thing have rows for everything.
 */

/** What a new job keeps in its row; undefined: it is not small. */
export function partsOfNew(plan: PlanRow): JobParts | undefined {
  if (plan.plan.steps.length > SMALL_JOB_STEPS) return undefined
  return charsLeft(plan, SMALL_PLAN_CHARS) >= 0 ? { plan, events: [] } : undefined
}

export function planOf(rows: Rows, { id, parts }: JobRow): PlanRow | undefined {
  return parts?.plan ?? rows.get<PlanRow>(keys.plan(id))
}

/** Events of one chunk of the history, oldest first. */
export function eventsOf(
  rows: Rows,
  { id, parts }: JobRow,
  chunk: number,
): readonly HistoryEvent[] {
  if (chunk === 0 && parts !== undefined) return parts.events
  return rows.get<HistoryRow>(keys.history(id, chunk))?.events ?? []
}

/** @param name  of the step at `position` */
export function outputOf(
  rows: Rows,
  { id, steps }: Pick<JobRow, 'id' | 'steps'>,
  { position, name }: { readonly position: number; readonly name: string },
): OutputRow | undefined {
  return steps[position]?.output ?? rows.get<OutputRow>(keys.output(id, name))
}

export function isSmallOutput(row: OutputRow): boolean {
  return charsLeft(row, SMALL_OUTPUT_CHARS) >= 0
}
