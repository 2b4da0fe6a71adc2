import { Type } from '@gyre/jobs/typebox'
import { arcOf } from '../../base/ids.js'
import type { Query } from '../../protocol/ledger/query.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers, listOf } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { STALE } from '../contract/headers.js'
import { JobParams, LogsQuery, PageQuery, ReadQuery, StepParams } from '../contract/parameters.js'
import { decodeCursor, encodeCursor } from '../cursor.js'
import { PAGE_LIMIT_DEFAULT } from '../limits.js'
import { sendJson, successOf } from '../send-reply.js'
import { tellStaleness } from '../staleness.js'
import { jobIdOf } from './jobs.js'

const HISTORY = {
  historyTruncated: Type.Boolean({
    description: 'True: what came after 10,000 events is left out.',
  }),
}
const LOG = {
  dropped: Type.Integer({ description: 'How many lines of the job are no longer there.' }),
}

const Cursor = Type.Object({ after: Type.Integer() })

/** What belongs to one job and may be large: its timeline, its log, a step, the items of a `forEach` step. */
export function jobPartRoutes(app: ApiServer, { client }: { readonly client: NodeClient }): void {
  app.get(
    '/v1/jobs/:id/history',
    {
      schema: {
        operationId: 'getJobHistory',
        summary: 'The timeline of a job',
        description: 'Oldest first; `historyTruncated` once it was bounded at 10,000 events.',
        tags: ['jobs'],
        params: JobParams,
        querystring: PageQuery,
        response: answers({ 200: listOf('HistoryEvent', HISTORY) }, STALE),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const { limit = PAGE_LIMIT_DEFAULT, cursor, consistency } = request.query
      await tellStaleness(reply, client, { consistency, arc: arcOf(id, client.identity.arcCount) })
      const part = { kind: 'history', id }
      const {
        more,
        ended: _,
        ...list
      } = await read<HistoryPage>(id, {
        kind: 'history',
        id,
        after: afterOf(cursor, 0, part),
        limit,
      })
      return { ...list, nextCursor: nextCursor(more, list.items.at(-1)?.seq, part) }
    },
  )

  app.get(
    '/v1/jobs/:id/logs',
    {
      schema: {
        operationId: 'getJobLogs',
        summary: 'What the handlers of a job logged',
        description:
          'The newest 64 KiB, in the order in which they reached the ledger: a running attempt brings what it ' +
          'logged once a second, and the rest with its end. `dropped` says how many lines made room for newer ' +
          'ones; `seq` counts them too. `after` gives only lines with a greater `seq`.',
        tags: ['jobs'],
        params: JobParams,
        querystring: LogsQuery,
        response: answers({ 200: listOf('LogLine', LOG) }, STALE),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const { limit = PAGE_LIMIT_DEFAULT, cursor, consistency, step, after = 0 } = request.query
      await tellStaleness(reply, client, { consistency, arc: arcOf(id, client.identity.arcCount) })
      const part = { kind: 'logs', id, step: step ?? null }
      const { more, ...list } = await read<HistoryPage>(id, {
        kind: 'logs',
        id,
        ...(step === undefined ? {} : { step }),
        after: Math.max(afterOf(cursor, 0, part), after),
        limit,
      })
      return { ...list, nextCursor: nextCursor(more, list.items.at(-1)?.seq, part) }
    },
  )

  app.get(
    '/v1/jobs/:id/steps/:name',
    {
      schema: {
        operationId: 'getJobStep',
        summary: 'One step of a job',
        description:
          'As the job shows it, but always whole: a job with large outputs shows some steps in short.',
        tags: ['jobs'],
        params: StepParams,
        querystring: ReadQuery,
        response: answers({ 200: ref('Step') }, STALE),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const arc = arcOf(id, client.identity.arcCount)
      await tellStaleness(reply, client, { consistency: request.query.consistency, arc })
      const answer = await client.query(arc, { kind: 'step', id, step: request.params.name })
      return sendJson(reply, 200, successOf(answer).body ?? '{}')
    },
  )

  app.get(
    '/v1/jobs/:id/steps/:name/items',
    {
      schema: {
        operationId: 'listStepItems',
        summary: 'The items of a forEach step',
        description:
          'By index, each with status, output, error and its newest 100 attempts; those that were not started ' +
          'yet are `waiting`, those that never will be are `skipped`. A page of large outputs ends early, ' +
          'with a `nextCursor`.',
        tags: ['jobs'],
        params: StepParams,
        querystring: PageQuery,
        response: answers({ 200: listOf('Item') }, STALE),
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const { limit = PAGE_LIMIT_DEFAULT, cursor, consistency } = request.query
      await tellStaleness(reply, client, { consistency, arc: arcOf(id, client.identity.arcCount) })
      const step = request.params.name
      const part = { kind: 'items', id, step }
      const after = afterOf(cursor, -1, part)
      const { more, ...list } = await read<ItemsPage>(id, { kind: 'items', id, step, after, limit })
      return { ...list, nextCursor: nextCursor(more, list.items.at(-1)?.index, part) }
    },
  )

  async function read<Page>(id: string, query: Query): Promise<Page> {
    const reply = await client.query(arcOf(id, client.identity.arcCount), query)
    return JSON.parse(successOf(reply).body ?? '{"items":[],"more":false}')
  }
}

/** What is read here of the ledger's pages; the rest is passed on. */
interface HistoryPage {
  readonly items: readonly { readonly seq: number }[]
  readonly more: boolean
  readonly ended: boolean
}

interface ItemsPage {
  readonly items: readonly { readonly index: number }[]
  readonly more: boolean
}

function afterOf(cursor: string | undefined, beginning: number, list: object): number {
  return cursor === undefined ? beginning : decodeCursor(Cursor, cursor, list).after
}

function nextCursor(more: boolean, after: number | undefined, of: object): string | null {
  return more && after !== undefined ? encodeCursor({ after }, of) : null
}
