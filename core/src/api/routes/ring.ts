import { Type } from '@gyre/jobs/typebox'
import { arcOf, isId } from '../../base/ids.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { STALE } from '../contract/headers.js'
import { ReadQuery } from '../contract/parameters.js'
import { hashId } from '../hash-id.js'
import { Problem } from '../problem.js'
import { checkRecordKey } from '../record-key.js'
import { nodeView, ownerView, ringView } from '../ring-view.js'
import { successOf } from '../send-reply.js'
import { tellStaleness } from '../staleness.js'

export interface RingRoutesOptions {
  readonly client: NodeClient
  /** Where the API listens; known once it does. */
  readonly address: () => string
}

const IdParams = Type.Object({ id: Type.String({ description: '32 lower-case hex digits.' }) })
const OwnerQuery = Type.Object(
  {
    key: Type.Optional(Type.String({ description: 'Key of a record, 1 to 512 bytes.' })),
    id: Type.Optional(Type.String({ description: '32 lower-case hex digits.' })),
  },
  { additionalProperties: false },
)

/** The ring, who owns what, and what stands behind any ID. */
export function ringRoutes(app: ApiServer, { client, address }: RingRoutesOptions): void {
  app.get(
    '/v1/ring',
    {
      schema: {
        operationId: 'getRing',
        summary: 'The ring',
        tags: ['ring'],
        response: answers({ 200: ref('Ring') }),
      },
    },
    async () => ringView(client, await client.status(), address()),
  )

  app.get(
    '/v1/ring/owner',
    {
      schema: {
        operationId: 'getOwner',
        summary: 'Who owns a key or an ID',
        tags: ['ring'],
        querystring: OwnerQuery,
        response: answers({ 200: ref('Owner') }),
      },
    },
    async (request) => {
      const { key, id } = request.query
      if ((key === undefined) === (id === undefined)) {
        const message = 'give either ?key= or ?id='
        throw new Problem('invalid_request', message, { at: key === undefined ? '' : '/id' })
      }
      if (key !== undefined) checkRecordKey(key)
      const wanted = key === undefined ? checkedId(id ?? '') : hashId('record', key)
      return ownerView(client, await client.status(), wanted)
    },
  )

  app.get(
    '/v1/ids/:id',
    {
      schema: {
        operationId: 'getId',
        summary: 'What stands behind an ID',
        tags: ['ring'],
        params: IdParams,
        querystring: ReadQuery,
        response: answers({ 200: ref('Peek') }, STALE),
      },
    },
    async (request, reply) => {
      const id = checkedId(request.params.id)
      const { closest: _, ...owner } = ownerView(client, await client.status(), id)
      const arc = arcOf(id, client.identity.arcCount)
      await tellStaleness(reply, client, { consistency: request.query.consistency, arc })
      return { kind: 'nothing', ...owner, ...(await peek(id)) }
    },
  )

  async function peek(id: string): Promise<object> {
    const { nodeId, arcCount } = client.identity
    if (id === nodeId)
      return { kind: 'node', content: nodeView(client, await client.status(), address()) }
    const reply = await client.query(arcOf(id, arcCount), { kind: 'peek', id })
    const found: { kind: string; content: unknown } = JSON.parse(successOf(reply).body ?? '{}')
    return { kind: found.kind, content: found.content ?? null }
  }
}

function checkedId(text: string): string {
  if (isId(text)) return text
  throw new Problem('invalid_id', 'an ID is written as 32 lower-case hex digits', {
    at: '/id',
  })
}
