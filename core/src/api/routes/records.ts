import { JsonSchema } from '@gyre/jobs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { arcOf } from '../../base/ids.js'
import type { IdempotencyStamp } from '../../protocol/ledger/command.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers, listOf } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { RECORD_EXAMPLES } from '../contract/examples.js'
import { DeleteHeaders, STALE, WriteHeaders } from '../contract/headers.js'
import { ReadQuery, RecordParams, RecordsQuery } from '../contract/parameters.js'
import { conditionOf, etagOf } from '../etag.js'
import { hashId } from '../hash-id.js'
import { callStamp, idempotencyKeyOf } from '../idempotency.js'
import { PAGE_LIMIT_DEFAULT } from '../limits.js'
import { Problem } from '../problem.js'
import { checkRecordKey } from '../record-key.js'
import { readRecordsPage } from '../records-page.js'
import { markReplay, sendJson, successOf } from '../send-reply.js'
import { tellStaleness } from '../staleness.js'
import { checkUserValue } from '../user-value.js'

/** The hash table: records by key, with versions and compare-and-set. */
export function recordRoutes(app: ApiServer, { client }: { readonly client: NodeClient }): void {
  app.put(
    '/v1/dht/:key',
    {
      schema: {
        operationId: 'putRecord',
        summary: 'Write a record',
        description:
          'The body is the value itself, any JSON. `If-Match: "VERSION"` or `*`, or ' +
          '`If-None-Match: *`, make it conditional: 412 `version_conflict`.',
        tags: ['hash table'],
        params: RecordParams,
        headers: WriteHeaders,
        body: { ...JsonSchema, examples: RECORD_EXAMPLES },
        response: answers({ 200: ref('Record'), 201: ref('Record') }, [
          'ETag',
          'Idempotency-Replayed',
        ]),
      },
    },
    async (request, reply) => {
      const target = targetOf(request.params.key)
      const value = request.body
      checkUserValue(value, '', request.bodyBytes)
      const condition = conditionOf(request.headers)
      const success = successOf(
        await client.propose({
          arc: target.arc,
          command: {
            kind: 'put-record',
            key: target.key,
            id: target.id,
            value,
            ...(condition === undefined ? {} : { condition }),
            ...stampOf(request, target.key, { value, condition: condition ?? null }),
          },
          sheddable: true,
        }),
      )
      markReplay(reply, success)
      tagVersion(reply, success.version)
      return sendJson(reply, success.result === 'created' ? 201 : 200, success.body ?? '{}')
    },
  )

  app.get(
    '/v1/dht/:key',
    {
      schema: {
        operationId: 'getRecord',
        summary: 'Read a record',
        tags: ['hash table'],
        params: RecordParams,
        querystring: ReadQuery,
        response: answers({ 200: ref('Record') }, ['ETag', ...STALE]),
      },
    },
    async (request, reply) => {
      const { key, arc } = targetOf(request.params.key)
      const success = successOf(await client.query(arc, { kind: 'record', key }))
      await tellStaleness(reply, client, { consistency: request.query.consistency, arc })
      tagVersion(reply, success.version)
      return sendJson(reply, 200, success.body ?? '{}')
    },
  )

  app.delete(
    '/v1/dht/:key',
    {
      schema: {
        operationId: 'deleteRecord',
        summary: 'Delete a record',
        description: '204, also when there is none; honours `If-Match`.',
        tags: ['hash table'],
        params: RecordParams,
        headers: DeleteHeaders,
        response: answers({ 204: { type: 'null', description: 'It is gone.' } }, [
          'Idempotency-Replayed',
        ]),
      },
    },
    async (request, reply) => {
      const { key, id, arc } = targetOf(request.params.key)
      const condition = conditionOf(request.headers)
      if (condition?.kind === 'absent') {
        throw new Problem(
          'invalid_condition',
          'If-None-Match means nothing for DELETE; leave it out',
          { at: 'If-None-Match' },
        )
      }
      const success = successOf(
        await client.propose({
          arc,
          command: {
            kind: 'delete-record',
            key,
            id,
            ...(condition === undefined ? {} : { condition }),
            ...stampOf(request, key, { condition: condition ?? null }),
          },
        }),
      )
      markReplay(reply, success)
      return reply.code(204).send()
    },
  )

  app.get(
    '/v1/dht',
    {
      schema: {
        operationId: 'listRecords',
        summary: 'Records by prefix',
        description: 'In UTF-8 byte order of the keys; not a snapshot.',
        tags: ['hash table'],
        querystring: RecordsQuery,
        response: answers({ 200: listOf('RecordSummary') }, STALE),
      },
    },
    async (request, reply) => {
      const { prefix = '', limit = PAGE_LIMIT_DEFAULT, cursor, consistency } = request.query
      await tellStaleness(reply, client, { consistency, arc: 'all' })
      return readRecordsPage(client, prefix, { limit, cursor })
    },
  )

  function targetOf(key: string) {
    checkRecordKey(key)
    const id = hashId('record', key)
    return { key, id, arc: arcOf(id, client.identity.arcCount) }
  }
}

function stampOf(
  request: FastifyRequest,
  recordKey: string,
  content: object,
): { idempotency?: IdempotencyStamp } {
  const key = idempotencyKeyOf(request.raw)
  if (key === undefined) return {}
  const call = { method: request.method, path: `/v1/dht/${recordKey}`, request: content }
  return { idempotency: callStamp(key, call) }
}

function tagVersion(reply: FastifyReply, version: number | undefined): void {
  if (version !== undefined) reply.header('ETag', etagOf(version))
}
