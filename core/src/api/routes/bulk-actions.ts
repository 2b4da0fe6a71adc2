import type { JobPlan } from '@gyre/jobs'
import { Type } from '@gyre/jobs/typebox'
import { arcOf } from '../../base/ids.js'
import { ACTIONS_SERVICE } from '../../base/own-services.js'
import type { ActCommand, SubmitCommand } from '../../protocol/ledger/command.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { incomplete, ref } from '../contract/parts.js'
import { ACTIONS_EXAMPLES } from '../contract/examples.js'
import { ResubmitHeaders } from '../contract/headers.js'
import { JobFilterBody } from '../contract/parameters.js'
import { callStamp, idempotencyKeyOf } from '../idempotency.js'
import { jobFilterOf } from '../job-filter.js'
import type { JobIds } from '../job-ids.js'
import { countJobs } from '../jobs-page.js'
import { successOf, sendNewJob } from '../send-reply.js'
import { traceparentOf } from '../traceparent.js'

const ActionsBody = Type.Object(
  {
    action: Type.Enum(['cancel', 'retry', 'delete']),
    filter: JobFilterBody,
    dryRun: Type.Optional(Type.Boolean({ description: 'True: only count.' })),
  },
  { additionalProperties: false, examples: ACTIONS_EXAMPLES },
)

const CountAnswer = Type.Object({
  count: Type.Integer({ description: 'Jobs that match the filter now.' }),
  byStatus: Type.Record(Type.String(), Type.Integer()),
  ...incomplete,
})

/** One action on many jobs: counted, or done by a job of its own. */
export function bulkActionsRoute(
  app: ApiServer,
  { client, ids }: { readonly client: NodeClient; readonly ids: JobIds },
): void {
  app.post(
    '/v1/jobs/actions',
    {
      schema: {
        operationId: 'actOnJobs',
        summary: 'Cancel, retry or delete all jobs that match a filter',
        description:
          'The members of `filter` are those of the list; `{}` means every job. A job does it and ' +
          'tells `{done, skipped, failed}` as its output; skipped are those in no state for it. ' +
          'With `dryRun` the jobs are only counted.',
        tags: ['jobs'],
        headers: ResubmitHeaders,
        body: ActionsBody,
        response: answers({ 200: CountAnswer, 202: ref('Job') }, [
          'Location',
          'Idempotency-Replayed',
        ]),
      },
    },
    async (request, reply) => {
      const { action, filter, dryRun = false } = request.body
      const parsed = jobFilterOf(filter, '/filter')
      if (dryRun) {
        const { total, ...counted } = await countJobs(client, parsed)
        return reply.code(200).send({ count: total, ...counted })
      }
      const key = idempotencyKeyOf(request.raw)
      const call = { method: 'POST', path: '/v1/jobs/actions', request: request.body }
      const stamp = key === undefined ? undefined : callStamp(key, call)
      const traceparent = traceparentOf(request.headers.traceparent)
      const command: SubmitCommand = {
        kind: 'submit',
        id: ids.mint(stamp),
        plan: planOf({ action, filter: parsed }),
        input: { action, filter },
        ...(stamp === undefined ? {} : { idempotency: stamp }),
        ...(traceparent === undefined ? {} : { traceparent }),
      }
      const arc = arcOf(command.id, client.identity.arcCount)
      const needs = [ACTIONS_SERVICE]
      const success = successOf(await client.propose({ arc, command, needs, sheddable: true }))
      return sendNewJob(reply, success)
    },
  )
}

const DAY_MS = 86_400_000

/**
 * One step, which goes on where it stood whatever it is interrupted by: a process that dies is no
 * reason to suspect it.
 */
function planOf({ action, filter }: Pick<ActCommand, 'action' | 'filter'>): JobPlan {
  const retry = {
    attempts: 20,
    delayMs: 1000,
    factorMilli: 2000,
    maxDelayMs: 60_000,
    jitter: true,
    lost: 1000,
  }
  const main = {
    name: 'main',
    service: ACTIONS_SERVICE,
    needs: [],
    input: { $literal: { action, filter: { ...filter } } },
    timeoutMs: 7 * DAY_MS,
    retry,
    forEach: null,
    compensate: null,
  }
  return { job: null, single: true, steps: [main] }
}
