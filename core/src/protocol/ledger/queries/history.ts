import type { JsonObject } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import { jobNotFound } from '../commands/refusals.js'
import type { HistoryEvent } from '../history.js'
import { isoInstant } from '../iso-instant.js'
import { eventsOf } from '../job-parts.js'
import type { JobRow } from '../job-row.js'
import { isFinal } from '../job-status.js'
import { HISTORY_CHUNK_EVENTS, HISTORY_PAGE_CHARS } from '../limits.js'
import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { keys } from '../rows-layout.js'
import { activityView } from '../views/activity-view.js'
import { found, type ReadContext } from './found.js'

/** A page of a job's timeline, oldest first; `ended` when nothing will follow its last event. */
export function historyAnswer(
  { rows }: ReadContext,
  query: Extract<Query, { readonly kind: 'history' | 'follow-job' }>,
): Reply {
  const row = rows.get<JobRow>(keys.job(query.id))
  if (row === undefined) return jobNotFound(query.id)
  const after = Math.max(0, query.after)
  const items = pageBehind(rows, row, { after, limit: query.limit })
  const more = after + items.length < row.eventCount
  const ended = isFinal(row.status)
  const page = { items, historyTruncated: row.historyTruncated, more, ended }
  if (query.kind === 'history' || query.notes === undefined) return found(page)
  return found({ ...page, notes: row.notes ?? 0, activity: activityView(rows, row) })
}

/** Ends at its limit, or with the event that fills HISTORY_PAGE_CHARS: the errors in it may be long. */
function pageBehind(
  rows: Rows,
  row: JobRow,
  { after, limit }: { readonly after: number; readonly limit: number },
): JsonObject[] {
  const items: JsonObject[] = []
  let chars = 0
  for (let seq = after + 1; seq <= row.eventCount; ) {
    const chunk = Math.floor((seq - 1) / HISTORY_CHUNK_EVENTS)
    const events = eventsOf(rows, row, chunk)
    for (const event of events.slice((seq - 1) % HISTORY_CHUNK_EVENTS)) {
      if (items.length === limit || chars >= HISTORY_PAGE_CHARS) return items
      items.push(eventView(event))
      if ('error' in event) chars += JSON.stringify(event.error).length
    }
    seq = (chunk + 1) * HISTORY_CHUNK_EVENTS + 1
  }
  return items
}

/** Instants as text; every other member as it is. */
function eventView(event: HistoryEvent): JsonObject {
  const { seq, at, type, ...rest } = event
  const view = { seq, at: isoInstant(at), type, ...(rest as JsonObject) }
  return 'until' in event ? { ...view, until: isoInstant(event.until) } : view
}
