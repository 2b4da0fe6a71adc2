import { type JobPlan, type Json, JsonSchema, STEP_NAME_PATTERN } from '@gyre/jobs'
import { Type } from '@gyre/jobs/typebox'
import { arcOf } from '../../base/ids.js'
import type { ResubmitCommand } from '../../protocol/ledger/command.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { ResubmitHeaders } from '../contract/headers.js'
import { JobParams } from '../contract/parameters.js'
import { type CheckedRequest, newCheckedRequest } from '../check-turns.js'
import { callStamp, idempotencyKeyOf } from '../idempotency.js'
import type { InputSchemas } from '../input-schemas.js'
import type { JobIds } from '../job-ids.js'
import type { KnownWork } from '../known-work.js'
import { successOf, sendNewJob } from '../send-reply.js'
import { startHints } from '../start-hints.js'
import { traceparentOf } from '../traceparent.js'
import { checkUserValue } from '../user-value.js'
import { jobIdOf } from './jobs.js'

const ResubmitBody = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        pattern: STEP_NAME_PATTERN,
        description: 'Step to begin with; what the steps before it gave is taken over.',
      }),
    ),
    input: Type.Optional(JsonSchema),
  },
  { additionalProperties: false },
)

export interface ResubmitOptions {
  readonly client: NodeClient
  readonly known: KnownWork
  readonly schemas: InputSchemas
  readonly ids: JobIds
}

/** A new job like one that there is. */
export function resubmitRoute(
  app: ApiServer,
  { client, known, schemas, ids }: ResubmitOptions,
): void {
  app.post(
    '/v1/jobs/:id/resubmit',
    {
      schema: {
        operationId: 'resubmitJob',
        summary: 'Submit a job like this one again',
        description:
          'The new job has the same steps, labels, priority, timeout, affinity and retention, and ' +
          'starts at once. With `from` it begins with that step: outputs of the steps that do not ' +
          'follow from it are taken over, 8 MiB at most. `input` replaces that of the first job.',
        tags: ['jobs'],
        params: JobParams,
        headers: ResubmitHeaders,
        body: ResubmitBody,
        response: answers({ 202: ref('Job') }, ['Location', 'Idempotency-Replayed']),
      },
      config: { bodyIsOptional: true },
    },
    async (request, reply) => {
      const source = jobIdOf(request.params.id)
      const { from, input } = request.body
      checkUserValue(input, '/input', request.bodyBytes)
      const arc = arcOf(source, client.identity.arcCount)
      const plan = await planOf(source, input, newCheckedRequest(reply.raw))
      const key = idempotencyKeyOf(request.raw)
      const call = { method: 'POST', path: `/v1/jobs/${source}/resubmit`, request: request.body }
      const traceparent = traceparentOf(request.headers.traceparent)
      const command: ResubmitCommand = {
        kind: 'resubmit',
        id: ids.mintBeside(source),
        source,
        ...(from === undefined ? {} : { from }),
        ...(input === undefined ? {} : { input }),
        ...(key === undefined ? {} : { idempotency: callStamp(key, call) }),
        ...(traceparent === undefined ? {} : { traceparent }),
      }
      const needs = plan === null ? [] : hintsFrom(plan, from)
      const success = successOf(await client.propose({ arc, command, needs, sheddable: true }))
      return sendNewJob(reply, success)
    },
  )

  /**
   * The source's plan; null when it has been removed: a repeat under a key has its answer all the same.
   *
   * @throws Problem `schema_mismatch`
   */
  async function planOf(
    source: string,
    input: Json | undefined,
    checks: CheckedRequest,
  ): Promise<JobPlan | null> {
    const arc = arcOf(source, client.identity.arcCount)
    const found = await client.query(arc, { kind: 'plan', id: source })
    if (!found.ok && found.code === 'job_not_found') return null
    const { plan }: { plan: JobPlan } = JSON.parse(successOf(found).body ?? '{}')
    if (input === undefined) return plan
    await known.learn(plan.steps.map(({ service }) => service))
    await schemas.check(plan, input, checks)
    return plan
  }
}

/** Services of what is ready at once. */
function hintsFrom(plan: JobPlan, from: string | undefined): readonly string[] {
  if (from === undefined) return startHints(plan)
  return plan.steps.filter(({ name }) => name === from).map(({ service }) => service)
}
