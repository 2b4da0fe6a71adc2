import type { JsonObject } from '@gyre/jobs'
import { jobNotFound } from '../commands/refusals.js'
import type { HistoryEvent } from '../history.js'
import { isoInstant } from '../iso-instant.js'
import type { JobRow } from '../job-row.js'
import { isFinal } from '../job-status.js'
import { HISTORY_CHUNK_EVENTS } from '../limits.js'
import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { type HistoryRow, keys } from '../rows-layout.js'
import { activityView } from '../views/activity-view.js'
import { found, type ReadContext } from './found.js'

/** A page of a job's timeline, oldest first; `ended` when nothing will follow its last event. */
export function historyAnswer(
  { rows }: ReadContext,
  query: Extract<Query, { readonly kind: 'history' | 'follow-job' }>,
): Reply {
  const row = rows.get<JobRow>(keys.job(query.id))
  if (row === undefined) return jobNotFound(query.id)
  const items: JsonObject[] = []
  const after = Math.max(0, query.after)
  for (let seq = after + 1; seq <= row.eventCount && items.length < query.limit; ) {
    const chunk = Math.floor((seq - 1) / HISTORY_CHUNK_EVENTS)
    const events = rows.get<HistoryRow>(keys.history(query.id, chunk))?.events ?? []
    const wanted = events.slice((seq - 1) % HISTORY_CHUNK_EVENTS)
    items.push(...wanted.slice(0, query.limit - items.length).map(eventView))
    seq = (chunk + 1) * HISTORY_CHUNK_EVENTS + 1
  }
  const more = after + items.length < row.eventCount
  const ended = isFinal(row.status)
  const page = { items, historyTruncated: row.historyTruncated, more, ended }
  if (query.kind === 'history' || query.notes === undefined) return found(page)
  return found({ ...page, notes: row.notes ?? 0, activity: activityView(rows, row) })
}

/** Instants as text; every other member as it is. */
function eventView(event: HistoryEvent): JsonObject {
  const { seq, at, type, ...rest } = event
  const view = { seq, at: isoInstant(at), type, ...(rest as JsonObject) }
  return 'until' in event ? { ...view, until: isoInstant(event.until) } : view
}
