import { Type } from '@gyre/jobs/typebox'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { Id, ref } from '../contract/parts.js'
import { BATCH_EXAMPLES } from '../contract/examples.js'
import { BatchHeaders } from '../contract/headers.js'
import { BATCH_BODY_BYTES_MAX, BATCH_JOBS_MAX, REQUEST_CHECK_STEPS_MAX } from '../limits.js'
import { Problem, problemOf } from '../problem.js'
import { type CheckTurns, newCheckedRequest } from '../check-turns.js'
import type { Submissions } from '../submissions.js'
import { traceparentOf } from '../traceparent.js'
import { compileAllButBody } from '../validation.js'
import { SubmissionBody } from './jobs.js'

const BatchBody = Type.Object(
  { jobs: Type.Array(SubmissionBody, { maxItems: BATCH_JOBS_MAX }) },
  { additionalProperties: false, examples: BATCH_EXAMPLES },
)

const BatchResultAnswer = Type.Union([
  Type.Object({ id: Id, status: Type.String(), purged: Type.Optional(Type.Literal(true)) }),
  Type.Object({ error: ref('Problem') }),
])

type Refused = { readonly error: ReturnType<Problem['toBody']> }
type BatchResult = Shown | Refused

/** Many jobs in one request. Not atomic: each job has its own result, in the order of the request. */
export function batchRoutes(
  app: ApiServer,
  { submissions, turns }: { readonly submissions: Submissions; readonly turns: CheckTurns },
): void {
  app.post(
    '/v1/jobs/batch',
    {
      bodyLimit: BATCH_BODY_BYTES_MAX,
      schema: {
        operationId: 'submitJobs',
        summary: 'Submit up to 1,000 jobs',
        description:
          'Each job has a result of its own, `{id, status}` or `{error}`, in order; `purged: true` beside ' +
          'them says that the job of a repeated key has been removed. Checking the inputs of all jobs may ' +
          `take ${REQUEST_CHECK_STEPS_MAX} steps: a dear one beyond that is refused, 413. 503 ` +
          '`overloaded` means that none was stored. Idempotency keys stand in the jobs.',
        tags: ['jobs'],
        headers: BatchHeaders,
        body: BatchBody,
        response: answers({ 202: Type.Object({ results: Type.Array(BatchResultAnswer) }) }),
      },
      validatorCompiler: compileAllButBody,
      config: { checksJsonItself: true },
    },
    async (request, reply) => {
      if (request.headers['idempotency-key'] !== undefined) {
        const detail = 'in a batch each job has its own idempotencyKey; leave the header out'
        throw new Problem('invalid_request', detail, { at: 'Idempotency-Key' })
      }
      const jobs = jobsOf(request.body)
      const context = {
        key: undefined,
        traceparent: traceparentOf(request.headers.traceparent),
        bodyBytes: request.bodyBytes,
        checks: newCheckedRequest(reply.raw),
      }
      const prepared = await Promise.all(
        jobs.map((job, index) =>
          submissions.prepare(job, context).catch((error: unknown) => toErrorResult(error, index)),
        ),
      )
      // Checking may have taken long, and nothing is stored yet.
      turns.refuseWhatIsOver(context.checks)
      const results = await Promise.all(
        prepared.map(async (each, index) => {
          if ('error' in each) return each
          return submissions.store(each).then(
            (said) => toResult(said, index),
            (error: unknown) => toErrorResult(error, index),
          )
        }),
      )
      checkOverload(results)
      return reply.code(202).send({ results })
    },
  )
}

/** @throws Problem when the envelope itself is wrong or too large */
function jobsOf(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null || !('jobs' in body) || !Array.isArray(body.jobs)) {
    throw new Problem('invalid_request', 'the body must be {"jobs": [...]}', {
      errors: [{ path: '/jobs', message: 'must be an array of submissions' }],
    })
  }
  const extra = Object.keys(body).find((name) => name !== 'jobs')
  if (extra !== undefined) {
    const message = 'is not a known member here; remove it or correct its name'
    throw new Problem('unknown_field', `/${extra} ${message}`, {
      errors: [{ path: `/${extra}`, message }],
    })
  }
  if (body.jobs.length > BATCH_JOBS_MAX) {
    const detail = `a batch may hold ${BATCH_JOBS_MAX} jobs; this one has ${body.jobs.length}`
    throw new Problem('payload_too_large', detail)
  }
  return body.jobs
}

/** What is read of a job, or of what is left of one that was removed. */
interface Shown {
  readonly id: string
  readonly status: string
  readonly purged?: boolean
}

function toResult(said: Awaited<ReturnType<Submissions['submit']>>, index: number): BatchResult {
  if (!said.ok) return toErrorResult(problemOf(said), index)
  const { id, status, purged }: Shown = JSON.parse(said.body ?? '{}')
  return { id, status, ...(purged === undefined ? {} : { purged }) }
}

/** The problem's instance is the job in the request; its `errors` name places inside of that job. */
function toErrorResult(error: unknown, index: number): Refused {
  if (error instanceof Problem) return { error: error.toBody(`/v1/jobs/batch#/jobs/${index}`) }
  throw error
}

/** As a whole it is overload only when nothing was stored, so that the client may repeat all of it. */
function checkOverload(results: readonly BatchResult[]): void {
  const errors = results.map((result) => ('error' in result ? result.error : null))
  const sheds = errors.filter((error) => error?.['code'] === 'overloaded')
  if (sheds.length === 0) return
  if (errors.every((error) => error !== null && error['code'] !== 'outcome_unknown')) {
    throw new Problem('overloaded', 'the node has too much to do; no job was stored, try again')
  }
}
