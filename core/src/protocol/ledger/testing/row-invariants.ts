import { PRIORITY_MAX } from '@gyre/jobs'
import { assert } from '../../../base/assert.js'
import type { RowEntry, Rows } from '../../state/rows.js'
import { formatAttemptId } from '../attempt-id.js'
import type { AttemptRef } from '../command.js'
import { planOf } from '../job-parts.js'
import type { ItemRow, JobRow } from '../job-row.js'
import { isFinal } from '../job-status.js'
import { readyName } from '../ready-name.js'
import {
  type CountsRow,
  endOf,
  keys,
  type MemoRow,
  type MemoSumRow,
  type PlanRow,
  type PurgeRow,
  type ReadyRow,
  type RefusalRow,
  sortable,
  sortableAt,
  type SubmissionKeyRow,
  type TellingRow,
  type TimerRow,
} from '../rows-layout.js'
import type { TaskState } from '../task.js'

/**
 * What must agree in the rows of an arc after every entry, checked the slow way: everything that is
 * kept up to date by small steps is counted anew from the jobs.
 */
export function checkRows(rows: Rows): void {
  const tasks = allTasks(rows)
  checkLeases(rows, tasks)
  checkTimers(rows, tasks)
  checkJobTimers(rows)
  checkReady(rows, tasks)
  checkJobs(rows, tasks)
  checkItemIndexes(rows)
  checkMemos(rows)
  checkRefusals(rows)
}

interface FoundTask {
  readonly job: JobRow
  readonly ref: AttemptRef
  readonly task: TaskState
}

function all<T extends object>(rows: Rows, prefix: string): RowEntry<T>[] {
  return rows.scan<T>(prefix, endOf(prefix), Number.MAX_SAFE_INTEGER)
}

function allJobs(rows: Rows): JobRow[] {
  return all<JobRow>(rows, 'j/').flatMap(({ key, value }) => (key.length === 34 ? [value] : []))
}

function givenPlanOf(rows: Rows, job: JobRow): PlanRow {
  const row = planOf(rows, job)
  assert(row !== undefined, `job ${job.id} has no plan`)
  return row
}

function allTasks(rows: Rows): FoundTask[] {
  return allJobs(rows).flatMap((job) => {
    const { steps } = givenPlanOf(rows, job).plan
    return steps.flatMap(({ name }, position) => tasksOfStep(rows, job, { name, position }))
  })
}

function tasksOfStep(
  rows: Rows,
  job: JobRow,
  { name, position }: { readonly name: string; readonly position: number },
): FoundTask[] {
  const step = job.steps[position]
  const found: FoundTask[] = []
  const add = (
    task: TaskState | null | undefined,
    index: number | null,
    hook: AttemptRef['hook'],
  ): void => {
    if (!task) return
    const ref = { job: job.id, run: job.run, step: name, index, hook, attempt: task.attempt }
    found.push({ job, ref, task })
  }
  add(step?.task, null, 'run')
  add(step?.undo?.task, null, 'compensate')
  for (const { key, value } of all<ItemRow>(rows, `j/${job.id}/i/${name}/`)) {
    const index = Number.parseInt(key.slice(-13), 16)
    add(value.task, index, 'run')
    add(value.undo, index, 'compensate')
  }
  return found
}

function checkLeases(rows: Rows, tasks: readonly FoundTask[]): void {
  const wanted = tasks
    .filter(({ task }) => task.phase === 'leased' || task.phase === 'stopping')
    .map(({ ref }) => formatAttemptId(ref))
  const kept = all<AttemptRef>(rows, 'l/').map(({ value }) => formatAttemptId(value))
  same('leases', kept, wanted)
}

function checkTimers(rows: Rows, tasks: readonly FoundTask[]): void {
  const wanted = tasks
    .filter(({ task }) => task.phase === 'leased' || task.phase === 'backoff')
    .map(
      ({ ref, task }) => `${task.phase === 'leased' ? 'timeout' : 'retry'} ${formatAttemptId(ref)}`,
    )
  const kept = all<TimerRow>(rows, 't/').flatMap(({ value }) => {
    return 'attempt' in value ? [`${value.kind} ${formatAttemptId(value.attempt)}`] : []
  })
  same('timers', kept, wanted)
}

function checkMemos(rows: Rows): void {
  const memos = all<MemoRow>(rows, 'm/')
  const wanted = memos.map(({ key, value }) => `w/${sortable(value.expiresAt)}/${key.slice(2)}`)
  same(
    'expiries of memos',
    all(rows, 'w/').map(({ key }) => key),
    wanted,
  )
  const bytes = rows.get<MemoSumRow>('c/memos')?.bytes ?? 0
  const counted = sum(memos.map(({ value }) => value.bytes))
  assert(bytes === counted, `memos count ${bytes} bytes and have ${counted}`)
}

/** Whatever waits for a service that is known to be refused has been told, or is about to be. */
function checkRefusals(rows: Rows): void {
  const left = rows.get<TellingRow>(keys.tellingDue())?.left ?? []
  for (const { key, value } of all<ReadyRow>(rows, 'r/')) {
    const [, service = ''] = key.split('/')
    const refusal = rows.get<RefusalRow>(keys.refusal(service))
    if (refusal === undefined) continue
    if (left.some((one) => one.service === service && one.from <= key)) continue
    const job = allJobs(rows).find(({ id }) => id === value.job)
    const position =
      job && givenPlanOf(rows, job).plan.steps.findIndex(({ name }) => name === value.step)
    const step = job?.steps[position ?? -1]
    const told = value.hook === 'run' ? step?.refused : step?.undo?.refused
    assert(told?.mark === refusal.mark, `${key} waits, and was not told that it is refused`)
    assert(told.run === job?.run, `${key} was told that it is refused in another run`)
  }
  for (const { service } of left) {
    assert(rows.get(keys.refusal(service)), `${service} is not refused, and that is to be told`)
  }
}

/** Items that something may still happen to, and those that are to be undone, have rows that say so. */
function checkItemIndexes(rows: Rows): void {
  const open: string[] = []
  const toUndo: string[] = []
  for (const job of allJobs(rows)) {
    for (const [position, { name, forEach, compensate }] of givenPlanOf(
      rows,
      job,
    ).plan.steps.entries()) {
      if (job.steps[position]?.fan?.indexed !== true) continue
      for (const { key, value } of all<ItemRow>(rows, `j/${job.id}/i/${name}/`)) {
        const place = `${job.id}/${name}/${key.slice(-13)}`
        const { task, undo } = value
        const isResult = task.phase === 'failed' && forEach?.onItemError === 'continue'
        const isDone = task.phase === 'succeeded' || (isResult && task.error?.code !== 'poison')
        if (undo === null ? !isDone : undo.phase !== 'succeeded') open.push(place)
        const mayHaveActed = task.phase === 'succeeded' || task.unknown
        if (compensate !== null && undo === null && mayHaveActed) toUndo.push(place)
      }
    }
  }
  const kept = all(rows, 'j/').map(({ key }) => key.slice(2))
  const placed = (letter: string): string[] =>
    kept
      .filter((key) => key.slice(32, 35) === `/${letter}/`)
      .map((key) => key.slice(0, 33) + key.slice(35))
  same('open items', placed('k'), open)
  same('items to undo', placed('m'), toUndo)
}

/** An instant of a job has a timer while it can still matter. */
function checkJobTimers(rows: Rows): void {
  const wanted = allJobs(rows).flatMap((job) => {
    const { id, phase, run, runAt, startBy, timesOutAt, startedAt } = job
    const timer = (kind: string, dueAt: number | undefined, matters: boolean): string[] =>
      matters && dueAt !== undefined ? [`${dueAt} ${kind} ${id}`] : []
    const isOpen = phase === 'scheduled' || phase === 'forward'
    return [
      ...timer('run-at', runAt, phase === 'scheduled'),
      ...timer('start-by', startBy, isOpen && run === 1 && startedAt === null),
      ...timer('job-timeout', timesOutAt, isOpen),
    ]
  })
  const kept = all<TimerRow>(rows, 't/').flatMap(({ key, value }) => {
    return 'job' in value ? [`${sortableAt(key, 2)} ${value.kind} ${value.job}`] : []
  })
  same('timers of jobs', kept, wanted)
}

function checkReady(rows: Rows, tasks: readonly FoundTask[]): void {
  const ready = all<ReadyRow>(rows, 'r/')
  const singles = tasks.filter(({ task }) => task.phase === 'ready').length
  const ofFans = allJobs(rows).flatMap(({ steps }) => {
    return steps.map(({ fan, undo }) => (fan?.queued ?? 0) + (undo?.fan?.queued ?? 0))
  })
  const total = ready.reduce((sum, { value }) => sum + value.count, 0)
  assert(
    total === singles + sum(ofFans),
    `${total} tasks are queued, ${singles} and ${ofFans.join(' + ')} ready`,
  )
  const counted = new Map<string, number>()
  for (const { key, value } of ready) {
    const [, service = '', rank = ''] = key.split('/')
    const name = readyName(service, PRIORITY_MAX - Number(rank))
    counted.set(name, (counted.get(name) ?? 0) + value.count)
  }
  sameCounts('ready tasks', rows.get<CountsRow>('c/ready'), counted)
}

function checkJobs(rows: Rows, tasks: readonly FoundTask[]): void {
  const jobs = allJobs(rows)
  const listed = all(rows, 'x/').map(({ key }) => key)
  const wanted = jobs.map(({ status, createdAt, id }) => {
    return `x/${status}/${createdAt.toString(16).padStart(13, '0')}/${id}`
  })
  same('lists', listed, wanted)
  const counted = new Map<string, number>()
  for (const { status } of jobs) counted.set(status, (counted.get(status) ?? 0) + 1)
  sameCounts('jobs', rows.get<CountsRow>('c/jobs'), counted)
  checkUnchangingIndexes(rows, jobs)
  checkRemovals(rows, jobs)
  for (const job of jobs) checkJob(job, tasks)
}

/** Whatever is finished for good has its removal ahead; rows of a job that is gone, too, and its key. */
function checkRemovals(rows: Rows, jobs: readonly JobRow[]): void {
  const due = all<PurgeRow>(rows, 'q/').flatMap(({ value }) => {
    if (value.kind === 'job') return [`job ${value.job}`]
    return value.kind === 'key' ? [`key ${value.key}`] : []
  })
  const finished = jobs.filter(({ status }) => isFinal(status) && status !== 'compensation_failed')
  const known = new Set(jobs.map(({ id }) => id))
  const parts = all(rows, 'j/').map(({ key }) => key.slice(2, 34))
  const left = [...new Set(parts)].filter((id) => !known.has(id))
  const submitted = all<SubmissionKeyRow>(rows, 'k/')
  const stubs = submitted.filter(({ value }) => value.purged !== undefined)
  same('removals', due, [
    ...[...finished.map(({ id }) => id), ...left].map((id) => `job ${id}`),
    ...stubs.map(({ key }) => `key ${key.slice(2)}`),
  ])
  for (const { key, value } of submitted) {
    assert(known.has(value.job) !== (value.purged !== undefined), `${key} names no job`)
  }
}

/** Lists by name and by label hold each job once, and the counters by name are those of the jobs. */
function checkUnchangingIndexes(rows: Rows, jobs: readonly JobRow[]): void {
  const kept = [...all(rows, 'n/'), ...all(rows, 'y/')].map(({ key }) => key.slice(-46))
  const wanted = jobs.flatMap((job) => {
    const place = `${job.createdAt.toString(16).padStart(13, '0')}/${job.id}`
    const count = Object.keys(job.labels ?? {}).length + (job.job === null ? 0 : 1)
    return Array.from({ length: count }, () => place)
  })
  same('lists by name and label', kept, wanted)
  for (const { key, value } of all<CountsRow>(rows, 'c/n/')) {
    const counted = new Map<string, number>()
    for (const { status, job } of jobs) {
      if (`c/n/${job}` === key) counted.set(status, (counted.get(status) ?? 0) + 1)
    }
    sameCounts(key, value, counted)
  }
}

function checkJob(job: JobRow, tasks: readonly FoundTask[]): void {
  const own = tasks.filter(({ ref }) => ref.job === job.id).map(({ task }) => task.phase)
  const running = own.filter((phase) => phase === 'leased' || phase === 'stopping').length
  assert(running === job.running, `job ${job.id} counts ${job.running} running, ${running} are`)
  const active = running + own.filter((phase) => phase === 'ready' || phase === 'backoff').length
  if (isFinal(job.status)) {
    assert(active === 0 && job.ready === 0, `job ${job.id} is ${job.status} with active tasks`)
    return
  }
  if (job.phase === 'scheduled') return
  assert(active + job.ready > 0, `job ${job.id} is ${job.status} and nothing can move it on`)
}

function same(what: string, kept: readonly string[], wanted: readonly string[]): void {
  const left = [...kept].sort().join('\n')
  const right = [...wanted].sort().join('\n')
  assert(left === right, `${what} in rows:\n${left}\nby the jobs:\n${right}`)
}

function sameCounts(
  what: string,
  row: CountsRow | undefined,
  counted: ReadonlyMap<string, number>,
): void {
  const kept = Object.entries(row?.counts ?? {}).map(([name, count]) => `${name} ${count}`)
  same(
    `counts of ${what}`,
    kept,
    [...counted].map(([name, count]) => `${name} ${count}`),
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
