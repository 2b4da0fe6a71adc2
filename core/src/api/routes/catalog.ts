import { Type } from '@gyre/jobs/typebox'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers, listOf } from '../contract/answers.js'
import { ref } from '../contract/parts.js'
import { STALE } from '../contract/headers.js'
import { OwnPageQuery, PageQuery } from '../contract/parameters.js'
import { gaps } from '../jobs-page.js'
import type { KnownWork } from '../known-work.js'
import type { EngineStatus } from '../../protocol/node/messages.js'
import { SYSTEM_ARC } from '../../base/ids.js'
import { pageOfNames } from '../names-page.js'
import { publicFailure } from '../public-failure.js'
import { tellStaleness } from '../staleness.js'
import { statusInTime } from '../status-in-time.js'

export interface CatalogRoutesOptions {
  readonly client: NodeClient
  readonly known: KnownWork
}

/** What the service does on this node; null where the node does not say in time. */
function loadView(client: NodeClient, name: string, status: EngineStatus | null) {
  if (status === null) return { running: null, refused: null }
  const none = { running: 0, waiting: 0, shortage: null, blocked: 0 }
  const { running, waiting, shortage } = ownMember(status.services, name) ?? none
  const never = ownMember(client.offers.refused ?? {}, name)
  // Nobody refuses what nobody offers: `explain` says `no_worker` then.
  const isOffered = client.offers.services.some((service) => service.name === name)
  const reason = never?.reason ?? (isOffered ? shortage : null)
  const isRefused = never !== undefined || (waiting > 0 && reason !== null)
  const why = { node: client.identity.nodeId, reason, never: never !== undefined }
  const text = never?.text ?? 'others take what it needs; it starts when they end'
  return {
    running,
    refused: { count: isRefused ? waiting : 0, reasons: isRefused ? [{ ...why, text }] : [] },
  }
}

function ownMember<T>(members: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

/** What can be run: services ever offered, and the job definitions of this node's plugins. */
export function catalogRoutes(app: ApiServer, { client, known }: CatalogRoutesOptions): void {
  app.get(
    '/v1/services',
    {
      schema: {
        operationId: 'listServices',
        summary: 'Services that were ever offered',
        description:
          '`nodes` is empty for one that no live node offers now. `running`: attempts that run; ' +
          '`refused`: how many ready tasks are not taken now, and why (`busy`, `cpu`, `memory`, ' +
          '`units`, `labels`; `never` when no end of another attempt will change that).',
        tags: ['catalog'],
        querystring: PageQuery,
        response: answers({ 200: listOf('Service') }, STALE),
      },
    },
    async (request, reply) => {
      const { consistency, ...page } = request.query
      const { items, missing } = await known.services()
      const services = pageOfNames(items, page, { kind: 'services' })
      await tellStaleness(reply, client, { consistency, arc: SYSTEM_ARC })
      const status = await statusInTime(client)
      return {
        items: services.items.map(({ version, ...service }) => ({
          ...service,
          versions: [version],
          nodes: known.isOffered(service.name) ? [client.identity.nodeId] : [],
          ...loadView(client, service.name, status),
        })),
        nextCursor: services.nextCursor,
        ...gaps(missing),
      }
    },
  )

  app.get(
    '/v1/job-definitions',
    {
      schema: {
        operationId: 'listJobDefinitions',
        summary: 'Jobs that can be submitted by name',
        tags: ['catalog'],
        querystring: OwnPageQuery,
        response: answers({
          200: listOf('JobDefinition', { failures: Type.Array(ref('PluginFailure')) }),
        }),
      },
    },
    async (request) => ({
      ...pageOfNames(known.jobs, request.query, { kind: 'job-definitions' }),
      failures: client.offers.failures.map(publicFailure),
    }),
  )
}
