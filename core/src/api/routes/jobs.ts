import { JobSubmissionSchema, ServiceSubmissionSchema, StepsSubmissionSchema } from '@gyre/jobs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from '@gyre/jobs/typebox'
import { arcOf, isId } from '../../base/ids.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers, listOf } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { SUBMISSION_EXAMPLES } from '../contract/examples.js'
import { ChangeHeaders, STALE, SubmitHeaders } from '../contract/headers.js'
import { JobCountsQuery, JobParams, JobQuery, JobsQuery } from '../contract/parameters.js'
import { newCheckedRequest } from '../check-turns.js'
import { callStamp, idempotencyKeyOf } from '../idempotency.js'
import { jobFilterOf } from '../job-filter.js'
import type { JobWaits } from '../job-waits.js'
import { countJobs, readJobsPage } from '../jobs-page.js'
import { PAGE_LIMIT_DEFAULT } from '../limits.js'
import { preferredWaitSeconds, waitMsOf } from '../prefer.js'
import { Problem, stoppingProblem } from '../problem.js'
import { goneSignal, markReplay, sendJson, type Success, successOf } from '../send-reply.js'
import { tellStaleness } from '../staleness.js'
import type { Submissions } from '../submissions.js'
import { traceparentOf } from '../traceparent.js'
import { compileAllButBody } from '../validation.js'

export interface JobRoutesOptions {
  readonly client: NodeClient
  readonly submissions: Submissions
  readonly waits: JobWaits
}

export const SubmissionBody = Type.Union(
  [JobSubmissionSchema, ServiceSubmissionSchema, StepsSubmissionSchema],
  { examples: SUBMISSION_EXAMPLES },
)

/** Submit a job, look at one, list them. */
export function jobRoutes(app: ApiServer, { client, submissions, waits }: JobRoutesOptions): void {
  app.post(
    '/v1/jobs',
    {
      schema: {
        operationId: 'submitJob',
        summary: 'Submit a job',
        description: 'With `Prefer: wait=SECONDS` the answer waits for its end.',
        tags: ['jobs'],
        headers: SubmitHeaders,
        body: SubmissionBody,
        response: answers({ 200: Type.Union([ref('Job'), ref('PurgedJob')]), 202: ref('Job') }, [
          'Location',
          'Preference-Applied',
          'Idempotency-Replayed',
        ]),
      },
      validatorCompiler: compileAllButBody,
      // Submissions look at each, also at those of a batch.
      config: { checksJsonItself: true },
    },
    async (request, reply) => {
      const success = successOf(
        await submissions.submit(request.body, {
          key: idempotencyKeyOf(request.raw),
          traceparent: traceparentOf(request.headers.traceparent),
          bodyBytes: request.bodyBytes,
          checks: newCheckedRequest(reply.raw),
        }),
      )
      markReplay(reply, success)
      return answerSubmission(success, request, reply)
    },
  )

  async function answerSubmission(success: Success, request: FastifyRequest, reply: FastifyReply) {
    const body = success.body ?? '{}'
    const id = idOf(body)
    reply.header('Location', `/v1/jobs/${id}`)
    const wait = preferredWaitSeconds(request.headers.prefer)
    if (wait !== undefined) reply.header('Preference-Applied', `wait=${wait}`)
    if (success.result === 'replayed-final') return sendJson(reply, 200, body)
    if (wait === undefined) return sendJson(reply, 202, body)
    const ended = await waits.untilEnded(id, { waitMs: wait * 1000, signal: goneSignal(reply) })
    if (ended?.ok === true) return sendJson(reply, 200, ended.body ?? body)
    return sendJson(reply, 202, (await currentBody(id)) ?? body)
  }

  app.get(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'getJob',
        summary: 'One job',
        tags: ['jobs'],
        params: JobParams,
        querystring: JobQuery,
        response: answers({ 200: ref('Job') }, STALE),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const waitMs = waitMsOf(request.query.wait)
      if (waitMs > 0 && waits.isStopped) throw stoppingProblem()
      if (waitMs > 0 && waits.isFull) {
        throw new Problem('overloaded', 'too many requests are waiting for jobs; ask without wait')
      }
      const ended = await waits.untilEnded(id, { waitMs, signal: goneSignal(reply) })
      const arc = arcOf(id, client.identity.arcCount)
      const success = successOf(ended ?? (await client.query(arc, { kind: 'job', id })))
      await tellStaleness(reply, client, { consistency: request.query.consistency, arc })
      return sendJson(reply, 200, success.body ?? '{}')
    },
  )

  app.get(
    '/v1/jobs',
    {
      schema: {
        operationId: 'listJobs',
        summary: 'Jobs, newest first',
        description:
          'Filters hold together; `label.KEY=VALUE`, at most eight of them, may stand beside those ' +
          'below. Where few of very many jobs match, a page may be shorter than `limit` and have a ' +
          '`nextCursor` all the same.',
        tags: ['jobs'],
        querystring: JobsQuery,
        response: answers({ 200: listOf('JobSummary') }, STALE),
      },
    },
    async (request, reply) => {
      const { limit, cursor, consistency } = request.query
      const filter = jobFilterOf(request.query)
      await tellStaleness(reply, client, { consistency, arc: 'all' })
      return readJobsPage(client, filter, { limit: limit ?? PAGE_LIMIT_DEFAULT, cursor })
    },
  )

  app.get(
    '/v1/jobs/counts',
    {
      schema: {
        operationId: 'countJobs',
        summary: 'How many jobs there are, by status',
        description: 'Takes the filters of the list, `label.KEY=VALUE` among them.',
        tags: ['jobs'],
        querystring: JobCountsQuery,
        response: answers({ 200: ref('JobCounts') }, STALE),
      },
    },
    async (request, reply) => {
      const { consistency } = request.query
      await tellStaleness(reply, client, { consistency, arc: 'all' })
      return countJobs(client, jobFilterOf(request.query))
    },
  )

  app.delete(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'deleteJob',
        summary: 'Remove a finished job and its data now',
        description: 'Its idempotency key stays until the end of its window.',
        tags: ['jobs'],
        params: JobParams,
        headers: ChangeHeaders,
        response: answers({ 204: Type.Null() }, ['Idempotency-Replayed']),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const key = idempotencyKeyOf(request.raw)
      const call = { method: 'DELETE', path: `/v1/jobs/${id}`, request: {} }
      const stamp = key === undefined ? {} : { idempotency: callStamp(key, call) }
      const arc = arcOf(id, client.identity.arcCount)
      const command = { kind: 'delete-job', id, ...stamp } as const
      markReplay(reply, successOf(await client.propose({ arc, command })))
      return reply.code(204).send()
    },
  )

  async function currentBody(id: string): Promise<string | undefined> {
    const now = await client.query(arcOf(id, client.identity.arcCount), { kind: 'job', id })
    return now.ok ? now.body : undefined
  }
}

/** @throws Problem `job_not_found`: what is no ID is certainly no job's */
export function jobIdOf(text: string): string {
  if (isId(text)) return text
  throw new Problem('job_not_found', 'there is no such job; job IDs are 32 lower-case hex digits')
}

/** The ledger writes the ID first; a job's body may be large, so it is not parsed for that. */
const ID_FIRST = /^\{"id":"([0-9a-f]{32})"/

function idOf(body: string): string {
  const first = ID_FIRST.exec(body)?.[1]
  if (first !== undefined) return first
  const { id }: { id: string } = JSON.parse(body)
  return id
}
