import { unreachable } from '../../../base/assert.js'
import { jobNotFound, stepNotFound } from '../commands/refusals.js'
import { planOf } from '../job-parts.js'
import type { JobRow } from '../job-row.js'
import type { Applied, Reply } from '../outcome.js'
import type { JobsQuery, Query } from '../query.js'
import { type BulkRow, endOf, keys, type ServiceRow } from '../rows-layout.js'
import { recallSubmission } from '../submission-keys.js'
import { jobView, stepView } from '../views/job-view.js'
import { explainAnswer } from './explain.js'
import { countsOf } from './figures.js'
import { found, type ReadContext } from './found.js'
import { historyAnswer } from './history.js'
import { itemsAnswer } from './items.js'
import { jobCounts } from './job-counts.js'
import { jobsPage } from './jobs.js'
import { logsAnswer } from './logs.js'
import { peekAnswer } from './peek.js'
import { recordAnswer, recordsAnswer } from './records.js'

/** Answers from the rows as they are. What waits is answered at once here: the caller does it. */
export function answer(context: ReadContext, query: Query): Reply {
  switch (query.kind) {
    case 'job':
    case 'watch-job':
      return jobAnswer(context, query.id)
    case 'plan':
      return planAnswer(context, query.id)
    case 'submission': {
      const before = recallSubmission(context.rows, query.stamp)
      return before === undefined ? found(null) : replyOf(context, before)
    }
    case 'jobs':
      return jobsReply(context, query)
    case 'job-counts':
      return found({ counts: jobCounts([context], query).counts })
    case 'history':
    case 'follow-job':
      return historyAnswer(context, query)
    case 'logs':
      return logsAnswer(context, query)
    case 'explain':
      return explainAnswer(context, query)
    case 'items':
      return itemsAnswer(context, query)
    case 'step':
      return stepAnswer(context, query)
    case 'record':
      return recordAnswer(context, query.key)
    case 'records':
      return recordsAnswer(context, query)
    case 'peek':
      return peekAnswer(context, query.id)
    case 'services':
      return servicesAnswer(context)
    case 'figures':
      return found({ ...countsOf([context]) })
    default:
      return unreachable(query, 'query')
  }
}

/** Adds the body to a command's outcome. Made only when somebody waits for it. */
export function replyOf(context: ReadContext, applied: Applied): Reply {
  if (!applied.ok) return applied
  const { result, shows, replayed } = applied
  const reply: Reply = shows === undefined ? { ok: true, result } : shownBy(context, shows)
  if (!reply.ok) return reply
  return replayed === true ? { ...reply, result, replayed } : { ...reply, result }
}

function shownBy(context: ReadContext, shows: Shows): Reply {
  switch (shows.kind) {
    case 'job':
      return jobAnswer(context, shows.id)
    case 'purged-job':
      return found({ id: shows.id, status: shows.status, purged: true })
    case 'record':
      return recordAnswer(context, shows.key)
    case 'bulk':
      return bulkAnswer(context, shows.id)
  }
}

type Shows = NonNullable<Extract<Applied, { readonly ok: true }>['shows']>

export function jobAnswer({ rows, hash }: ReadContext, id: string): Reply {
  const row = rows.get<JobRow>(keys.job(id))
  return row === undefined ? jobNotFound(id) : found(jobView(rows, hash, row))
}

function stepAnswer({ rows, hash }: ReadContext, { id, step: name }: StepQuery): Reply {
  const row = rows.get<JobRow>(keys.job(id))
  if (row === undefined) return jobNotFound(id)
  const plans = planOf(rows, row)?.plan.steps ?? []
  const position = plans.findIndex((plan) => plan.name === name)
  const step = row.steps[position]
  if (step === undefined) return stepNotFound(id, name)
  return found(stepView(rows, hash, { row, step, position, plan: plans[position] }))
}

type StepQuery = Extract<Query, { readonly kind: 'step' }>

function planAnswer({ rows }: ReadContext, id: string): Reply {
  const row = rows.get<JobRow>(keys.job(id))
  const planRow = row && planOf(rows, row)
  if (row === undefined || planRow === undefined) return jobNotFound(id)
  const { plan, input } = planRow
  return { ok: true, result: 'found', body: JSON.stringify({ plan, input }) }
}

function bulkAnswer({ rows }: ReadContext, id: string): Reply {
  const row = rows.get<BulkRow>(keys.bulk(id))
  const { done = 0, skipped = 0, failed = 0, ended = true } = row ?? {}
  return found({ done, skipped, failed, ended })
}

function jobsReply(context: ReadContext, query: JobsQuery): Reply {
  const { items, next } = jobsPage([context], query)
  return found({ items, next: next === null ? null : { ...next } })
}

function servicesAnswer({ rows }: ReadContext): Reply {
  const from = 's/'
  const items = rows.scan<ServiceRow>(from, endOf(from), Number.MAX_SAFE_INTEGER)
  return found({ items: items.map(({ value }) => value.offer) })
}
