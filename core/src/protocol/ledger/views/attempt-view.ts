import type { JsonObject, Json } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import { isoInstant } from '../iso-instant.js'
import type { AttemptProgress } from '../command.js'
import type { AttemptsRow } from '../rows-layout.js'
import type { AttemptRow, TaskState } from '../task.js'

/** An error as plain JSON; null when there is none. */
export function errorView(error: TaskState['error']): Json {
  return error === null ? null : { ...error }
}

/** The same without its details, which may have 8 KiB. */
export function shortErrorView(error: TaskState['error']): Json {
  if (error === null) return null
  const { details: _, ...short } = error
  return short
}

export function instantView(at: number | null): string | null {
  return at === null ? null : isoInstant(at)
}

export function attemptView(row: AttemptRow): JsonObject {
  return {
    attempt: row.attempt,
    node: row.node,
    startedAt: isoInstant(row.startedAt),
    finishedAt: instantView(row.finishedAt),
    // To clients one more way to lose an attempt; the error's code tells them apart.
    outcome: row.outcome === 'not_started' ? 'lost' : row.outcome,
    error: errorView(row.error),
    ...(row.memoizedFrom === undefined ? {} : { memoizedFrom: row.memoizedFrom }),
    ...(row.progress === undefined ? {} : { progress: progressView(row.progress) }),
  }
}

export function progressView({ at, done, total, note }: AttemptProgress): JsonObject {
  return {
    at: isoInstant(at),
    done,
    total: total ?? null,
    ...(note === undefined ? {} : { note }),
  }
}

/** A task's phase in the words of api.md. */
export function taskStatus(task: TaskState): string {
  switch (task.phase) {
    case 'ready':
      return 'queued'
    case 'leased':
      return 'running'
    case 'stopping':
      return task.stopping === 'cancelled' ? 'cancelling' : 'running'
    case 'backoff':
      return 'waiting'
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return task.phase
  }
}

/** Every attempt of a task that is kept, oldest first. */
export function attemptsOf(rows: Rows, earlierKey: string, task: TaskState | null): Json[] {
  if (task === null || task.newest === null) return []
  const earlier = task.attempt > 1 ? (rows.get<AttemptsRow>(earlierKey)?.attempts ?? []) : []
  return [...earlier, task.newest].map(attemptView)
}
