import { assert } from '../../../base/assert.js'
import { currentAttempt } from '../end-attempt.js'
import type { EntryContext } from '../entry-context.js'
import { onJobTimer } from '../job-times.js'
import { TIMERS_PER_FIRE } from '../limits.js'
import type { Applied } from '../outcome.js'
import {
  type AttemptTimerRow,
  type JobTimerRow,
  keys,
  sortable,
  type TimerRow,
} from '../rows-layout.js'
import { tellSlice } from '../refused-steps.js'
import { purgeDue } from '../retention.js'
import { stopAttempt } from '../stop-job.js'
import { readyAgain } from '../task.js'
import { placeTask, type TaskPlace, taskAt } from '../task-rows.js'
import { upgradeSlice } from '../upgrade-rows.js'

/**
 * Handles the timers that are due at the entry's arc time, oldest first. Arc time decides, not the
 * clock of the leader that proposed this. A timer exists only while its task is in the phase that it
 * ends (task-rows.ts), so that none can meet a task that has gone on.
 */
export function fireTimers(context: EntryContext): Applied {
  const due = context.rows.scan<TimerRow>('t/', `t/${sortable(context.at + 1)}`, TIMERS_PER_FIRE)
  for (const { key, value } of due) {
    if (isOfJob(value)) onTimerOfJob(context, value)
    // One that came before may have stopped the attempt that this one is of.
    else if (context.rows.get(key) !== undefined) onTimerOfAttempt(context, value)
  }
  purgeDue(context)
  tellSlice(context)
  if (context.rows.get(keys.upgradeDue()) !== undefined) upgradeSlice(context)
  return { ok: true, result: 'done' }
}

function isOfJob(timer: TimerRow): timer is JobTimerRow {
  return 'job' in timer
}

function onTimerOfJob(context: EntryContext, { job, kind }: JobTimerRow): void {
  const edit = context.job(job)
  assert(edit !== undefined, `a timer of job ${job}, which is not there`)
  onJobTimer(edit, kind)
}

function onTimerOfAttempt(context: EntryContext, timer: AttemptTimerRow): void {
  if (timer.kind === 'timeout') onTimeout(context, timer)
  else onRetryDue(context, timer)
}

/** The attempt is told to stop; its task goes on when it has ended. */
function onTimeout(context: EntryContext, { attempt }: AttemptTimerRow): void {
  const current = currentAttempt(context, attempt)
  assert(current?.task.phase === 'leased', 'a timeout without an attempt that it is of')
  stopAttempt(current.edit, current.place, 'timed_out')
}

function onRetryDue(context: EntryContext, { attempt: ref }: AttemptTimerRow): void {
  const edit = context.job(ref.job)
  const position = edit?.positionOf(ref.step)
  assert(edit !== undefined && position !== undefined, 'a retry of a job or step that is not there')
  const place: TaskPlace = { position, index: ref.index, hook: ref.hook }
  const task = taskAt(edit, place)
  assert(task?.phase === 'backoff', 'a retry of a task that does not wait for it')
  placeTask(edit, place, readyAgain(task, context.at, 'kept'))
}
