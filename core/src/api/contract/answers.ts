import { JsonSchema } from '@gyre/jobs'
import { type TSchema, Type } from 'typebox'
import { PROBLEM_CODES, problemKind } from '../error-mapping.js'
import { EXPLAIN_CODES } from './explain-codes.js'
import { type AnswerHeader, describeHeaders } from './headers.js'
import { JOB_ERROR_CODES } from './job-error-codes.js'

/**
 * Bodies of answers, for the OpenAPI document and the types of its readers. Open on purpose: later
 * versions add members.
 */

/** A named schema of the document; fastify's way of writing it. */
function ref(name: string) {
  return Type.Unsafe<unknown>({ $ref: `${name}#` })
}

const Id = Type.String({ pattern: '^[0-9a-f]{32}$' })
const Instant = Type.String({ format: 'date-time' })
const Nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])

export const JobErrorAnswer = Type.Object(
  {
    code: Type.String({
      description: `Stable. The handler's own, or one of: ${JOB_ERROR_CODES.join(', ')}.`,
    }),
    message: Type.String(),
    retryable: Type.Boolean(),
    details: Type.Optional(JsonSchema),
  },
  { $id: 'JobError' },
)

const AttemptAnswer = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    node: Id,
    startedAt: Instant,
    finishedAt: Nullable(Instant),
    outcome: Nullable(Type.Enum(['succeeded', 'failed', 'timed_out', 'lost', 'cancelled'])),
    error: Nullable(ref('JobError')),
    progress: Type.Optional(
      Type.Object(
        {
          at: Instant,
          done: Type.Number(),
          total: Nullable(Type.Number()),
          note: Type.Optional(Type.String()),
        },
        { description: 'The newest that its handler said; absent when it said nothing.' },
      ),
    ),
  },
  { $id: 'Attempt' },
)

const StepAnswer = Type.Object(
  {
    name: Type.String(),
    service: Type.String(),
    status: Type.String(),
    output: JsonSchema,
    error: Nullable(ref('JobError')),
    task: Nullable(Id),
    attempts: Type.Array(ref('Attempt'), { description: 'The newest 100.' }),
    attemptCount: Type.Integer(),
    lostAttempts: Type.Integer({
      description:
        'Of this run, charged to the budget of 3; with the third the job is poison. Of a `forEach`: of the ' +
        'item that lost most.',
    }),
    takenFrom: Type.Optional(
      Type.String({ description: 'The job that has done it, after a resubmission from a step.' }),
    ),
    compensation: Nullable(
      Type.Object({
        status: Type.String(),
        attempts: Type.Array(ref('Attempt')),
        error: Nullable(ref('JobError')),
        skipped: Nullable(JsonSchema),
      }),
    ),
  },
  { $id: 'Step' },
)

const JobAnswer = Type.Object(
  {
    id: Id,
    job: Nullable(Type.String()),
    status: Type.String({
      description:
        'queued running waiting scheduled cancelling compensating, or final: succeeded failed ' +
        'cancelled compensated compensation_failed.',
    }),
    cause: Nullable(Type.Enum(['failed', 'timed_out', 'cancelled', 'poison'])),
    run: Type.Integer({ minimum: 1 }),
    priority: Type.Integer({ minimum: 0, maximum: 9 }),
    labels: Type.Record(Type.String(), Type.String()),
    input: JsonSchema,
    output: JsonSchema,
    error: Nullable(ref('JobError')),
    waitingFor: Nullable(
      Type.Object({
        kind: Type.String({
          description: 'timer: its runAt is ahead. retry: its next attempt is.',
        }),
        until: Type.Optional(Instant),
      }),
    ),
    runAt: Nullable(Instant),
    startBy: Nullable(Instant),
    timesOutAt: Nullable(Instant),
    affinity: Nullable(Type.String()),
    progress: Type.Object(
      { done: Type.Number(), total: Type.Number() },
      {
        description:
          'Steps, and items of a `forEach` one by one. Of a job with one step what its handler says, ' +
          'where that says a total.',
      },
    ),
    createdAt: Instant,
    startedAt: Nullable(Instant),
    finishedAt: Nullable(Instant),
    steps: Type.Array(ref('Step')),
  },
  { $id: 'Job' },
)

const JobSummaryAnswer = Type.Object(
  {
    id: Id,
    job: Nullable(Type.String()),
    status: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
    createdAt: Instant,
    startedAt: Nullable(Instant),
    finishedAt: Nullable(Instant),
  },
  { $id: 'JobSummary' },
)

const ExplanationAnswer = Type.Object(
  {
    summary: Type.String({ description: 'One sentence.' }),
    reasons: Type.Array(
      Type.Object(
        {
          code: Type.String({ description: `One of: ${EXPLAIN_CODES.join(', ')}.` }),
          text: Type.String(),
          step: Type.Optional(Type.String()),
        },
        { additionalProperties: true },
      ),
    ),
    more: Type.Integer({ description: 'Reasons beyond those told.' }),
  },
  { $id: 'Explanation' },
)

const JobCountsAnswer = Type.Object(
  {
    total: Type.Integer(),
    byStatus: Type.Record(Type.String(), Type.Integer(), {
      description: 'Statuses that no job has are absent.',
    }),
    partial: Type.Optional(Type.Boolean({ description: 'True when arcs did not answer.' })),
    missing: Type.Optional(Type.Integer({ description: 'How many arcs did not answer.' })),
  },
  { $id: 'JobCounts' },
)

const RecordAnswer = Type.Object(
  {
    key: Type.String(),
    id: Id,
    version: Type.Integer({ description: 'Only rises for a key, also across deletes.' }),
    value: JsonSchema,
    updatedAt: Instant,
  },
  { $id: 'Record' },
)

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
  },
  { $id: 'Problem', description: 'RFC 9457.' },
)

/** Named schemas of the document. */
export const NAMED_ANSWERS = [
  JobErrorAnswer,
  AttemptAnswer,
  StepAnswer,
  JobAnswer,
  JobSummaryAnswer,
  ExplanationAnswer,
  JobCountsAnswer,
  RecordAnswer,
  ProblemAnswer,
]

export const JobRef = ref('Job')
export const JobCountsRef = ref('JobCounts')
export const JobSummaryRef = ref('JobSummary')
export const ExplanationRef = ref('Explanation')
export const RecordRef = ref('Record')
export const AnyObject = Type.Object({}, { additionalProperties: true })

export function listOf(item: TSchema) {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Nullable(Type.String()),
    partial: Type.Optional(Type.Boolean({ description: 'True when arcs did not answer.' })),
    missing: Type.Optional(Type.Integer({ description: 'How many arcs did not answer.' })),
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
