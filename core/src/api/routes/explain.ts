import { arcOf } from '../../base/ids.js'
import type { Reply } from '../../protocol/ledger/outcome.js'
import type { OfferedSlots } from '../../protocol/ledger/query.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { STALE } from '../contract/headers.js'
import { JobParams, ReadQuery } from '../contract/parameters.js'
import { sendJson, successOf } from '../send-reply.js'
import { tellStaleness } from '../staleness.js'
import { jobIdOf } from './jobs.js'

/** Refusals that say that the owner of a job does not answer, not that the request is wrong. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'arc_unavailable',
  'apply_stopped',
  'outcome_unknown',
])

/** Why a job is where it is, and what would move it on. */
export function explainRoute(app: ApiServer, { client }: { readonly client: NodeClient }): void {
  app.get(
    '/v1/jobs/:id/explain',
    {
      schema: {
        operationId: 'explainJob',
        summary: 'Why a job is where it is',
        description: 'What it waits for, step by step, and what would move it on.',
        tags: ['jobs'],
        params: JobParams,
        querystring: ReadQuery,
        response: answers({ 200: ref('Explanation') }, STALE),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const arc = arcOf(id, client.identity.arcCount)
      const told = await client.query(arc, { kind: 'explain', id, offers: offersOf(client) })
      await tellStaleness(reply, client, { consistency: request.query.consistency, arc })
      if (!told.ok && UNAVAILABLE.has(told.code)) return unavailable(told, arc)
      return sendJson(reply, 200, successOf(told).body ?? '{}')
    },
  )
}

function unavailable(told: Extract<Reply, { readonly ok: false }>, arc: number): object {
  const text = `the owner of arc ${arc} does not answer for it: ${told.message}.`
  return {
    summary: `The job cannot be looked at: ${text}`,
    reasons: [{ code: 'owner_unavailable', text, arc, refusal: told.code }],
    more: 0,
  }
}

function offersOf({ offers }: NodeClient): Record<string, OfferedSlots> {
  const refused = new Map(Object.entries(offers.refused ?? {}))
  return Object.fromEntries(
    offers.services.map(({ name, concurrency: slots }) => {
      const why = refused.get(name)
      return [
        name,
        why === undefined ? { slots } : { slots, refused: `${why.reason}: ${why.text}` },
      ]
    }),
  )
}
