import { JsonSchema } from '@gyre/jobs'
import { type TProperties, Type } from '@gyre/jobs/typebox'
import { PROBLEM_CODES, problemKind } from '../error-mapping.js'
import { CATALOG_ANSWERS } from './catalog-answers.js'
import { Explanation } from './explanation.js'
import { type AnswerHeader, describeHeaders } from './headers.js'
import { HistoryEvent } from './history-events.js'
import { JOB_ANSWERS } from './job-answers.js'
import { Id, Instant, Nullable, incomplete, ref } from './parts.js'
import { RING_ANSWERS } from './ring-answers.js'

/**
 * Bodies of answers, for the OpenAPI document and the types of its readers. Every member that an
 * answer carries is named; they are open all the same, because later versions add members.
 */

const record = {
  key: Type.String(),
  id: Id,
  version: Type.Integer({ description: 'Only rises for a key, also across deletes.' }),
  updatedAt: Instant,
}

const Record = Type.Object({ ...record, value: JsonSchema }, { $id: 'Record' })

const RecordSummary = Type.Object(record, {
  $id: 'RecordSummary',
  description: 'A record without its value.',
})

function withStatus(code: (typeof PROBLEM_CODES)[number]): string {
  return `${code} ${problemKind(code).status}`
}

const ProblemAnswer = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: 'Path of the request; in a batch, the job in it.' }),
    code: Type.String({
      description: `Stable, with its status: ${PROBLEM_CODES.map(withStatus).join(', ')}.`,
    }),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
        description: 'With every 400: what is wrong where.',
      }),
    ),
    currentVersion: Type.Optional(
      Nullable(
        Type.Integer({
          description: 'With `version_conflict`: of the record; null: there is none.',
        }),
      ),
    ),
    limit: Type.Optional(
      Type.Integer({ description: 'With some `payload_too_large`: what was passed.' }),
    ),
  },
  { $id: 'Problem', description: 'RFC 9457.' },
)

/** Named schemas of the document. */
export const NAMED_ANSWERS = [
  ...JOB_ANSWERS,
  HistoryEvent,
  Explanation,
  Record,
  RecordSummary,
  ...RING_ANSWERS,
  ...CATALOG_ANSWERS,
  ProblemAnswer,
]

/** A page of a list. `more`: what stands beside it. */
export function listOf(item: string, more: TProperties = {}) {
  return Type.Object({
    items: Type.Array(ref(item)),
    nextCursor: Nullable(Type.String()),
    ...incomplete,
    ...more,
  })
}

const MEANINGS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Made',
  202: 'Stored, and will be done',
  204: 'Done; there is nothing to show',
}

/**
 * The answers of a route, with the problem that every route can give.
 *
 * @param headers  what its successes carry beside what every answer carries
 */
export function answers(
  table: Readonly<Record<number, object>>,
  headers: readonly AnswerHeader[] = [],
): Record<string, object> {
  const successes = Object.entries(table).map(([status, answer]) => [
    status,
    { description: MEANINGS[status] ?? status, ...answer, headers: describeHeaders(headers) },
  ])
  return {
    ...Object.fromEntries(successes),
    default: {
      description: 'A problem',
      headers: describeHeaders(['Allow', 'Retry-After']),
      content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
    },
  }
}
