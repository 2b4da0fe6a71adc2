import type { JsonObject } from '@gyre/jobs'
import { jobNotFound } from '../commands/refusals.js'
import { isoInstant } from '../iso-instant.js'
import type { JobRow } from '../job-row.js'
import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { endOf, keys, type LogRow } from '../rows-layout.js'
import { found, type ReadContext } from './found.js'

/** A page of what a job's handlers logged, in the order of their attempts' ends. */
export function logsAnswer(
  { rows }: ReadContext,
  query: Extract<Query, { readonly kind: 'logs' }>,
): Reply {
  const row = rows.get<JobRow>(keys.job(query.id))
  if (row === undefined) return jobNotFound(query.id)
  const prefix = keys.logsOf(query.id)
  const kept = rows.scan<LogRow>(prefix, endOf(prefix), Number.MAX_SAFE_INTEGER)
  const lines = kept.flatMap(({ value }) => linesOf(value))
  const wanted = lines.filter(
    ({ seq, step }) => Number(seq) > query.after && (query.step ?? step) === step,
  )
  const more = wanted.length > query.limit
  return found({ items: wanted.slice(0, query.limit), dropped: row.logs?.dropped ?? 0, more })
}

function linesOf({ from, lines, step, index, hook, attempt }: LogRow): JsonObject[] {
  const of = {
    step,
    ...(index === undefined ? {} : { index }),
    ...(hook === undefined ? {} : { hook }),
    attempt,
  }
  return lines.map(({ at, level, message, fields }, place) => ({
    seq: from + place,
    at: isoInstant(at),
    level,
    message,
    ...of,
    ...(fields === undefined ? {} : { fields }),
  }))
}
