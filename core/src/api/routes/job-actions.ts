import { STEP_NAME_PATTERN } from '@gyre/jobs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type TObject, Type } from '@gyre/jobs/typebox'
import { arcOf } from '../../base/ids.js'
import type {
  CancelCommand,
  FailCommand,
  IdempotencyStamp,
  RetryCommand,
  SkipCommand,
} from '../../protocol/ledger/command.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { ChangeHeaders } from '../contract/headers.js'
import { JobParams } from '../contract/parameters.js'
import { callStamp, idempotencyKeyOf } from '../idempotency.js'
import { markReplay, sendJson, successOf } from '../send-reply.js'
import { jobIdOf } from './jobs.js'

const closed = { additionalProperties: false } as const

const CancelBody = Type.Object({ compensate: Type.Optional(Type.Boolean()) }, closed)
const RetryBody = Type.Object({}, closed)
const Reason = Type.String({ minLength: 1, maxLength: 1000 })
const SkipBody = Type.Object(
  { step: Type.String({ pattern: STEP_NAME_PATTERN }), reason: Reason },
  closed,
)
const FailBody = Type.Object({ reason: Reason }, closed)

type JobCommand = CancelCommand | RetryCommand | SkipCommand | FailCommand

/** What operators do to a job. Each is answered with 202 and the job. */
export function jobActionRoutes(app: ApiServer, { client }: { readonly client: NodeClient }): void {
  app.post(
    '/v1/jobs/:id/cancel',
    actionOptions('cancelJob', 'Cancel a job', CancelBody),
    async (request, reply) => {
      const { compensate = false } = request.body
      const command = { kind: 'cancel', id: jobIdOf(request.params.id), compensate } as const
      return act(request, reply, command)
    },
  )

  app.post(
    '/v1/jobs/:id/retry',
    actionOptions('retryJob', 'Run a failed job, or its failed compensation, again', RetryBody),
    async (request, reply) =>
      act(request, reply, { kind: 'retry', id: jobIdOf(request.params.id) }),
  )

  app.post(
    '/v1/jobs/:id/skip',
    actionOptions('skipCompensation', 'Go on without the failed compensation of a step', SkipBody),
    async (request, reply) => {
      const { step, reason } = request.body
      return act(request, reply, { kind: 'skip', id: jobIdOf(request.params.id), step, reason })
    },
  )

  app.post(
    '/v1/jobs/:id/fail',
    actionOptions('failJob', 'End a job whose compensation failed', FailBody),
    async (request, reply) => {
      const { reason } = request.body
      return act(request, reply, { kind: 'fail', id: jobIdOf(request.params.id), reason })
    },
  )

  async function act(request: FastifyRequest, reply: FastifyReply, command: JobCommand) {
    const arc = arcOf(command.id, client.identity.arcCount)
    const stamped = { ...command, ...stampOf(request, command) }
    const success = successOf(await client.propose({ arc, command: stamped }))
    markReplay(reply, success)
    return sendJson(reply, 202, success.body ?? (await currentBody(command.id)))
  }

  async function currentBody(id: string): Promise<string> {
    const arc = arcOf(id, client.identity.arcCount)
    return successOf(await client.query(arc, { kind: 'job', id })).body ?? '{}'
  }
}

/** A body in which nothing must stand may be missing. */
function actionOptions<Body extends TObject>(operationId: string, summary: string, body: Body) {
  const required: readonly string[] = body.required ?? []
  return {
    schema: {
      operationId,
      summary,
      tags: ['jobs'],
      params: JobParams,
      headers: ChangeHeaders,
      body,
      response: answers({ 202: ref('Job') }, ['Idempotency-Replayed']),
    },
    config: { bodyIsOptional: required.length === 0 },
  }
}

function stampOf(request: FastifyRequest, command: JobCommand): { idempotency?: IdempotencyStamp } {
  const key = idempotencyKeyOf(request.raw)
  if (key === undefined) return {}
  const path = `/v1/jobs/${command.id}/${command.kind}`
  return { idempotency: callStamp(key, { method: 'POST', path, request: command }) }
}
