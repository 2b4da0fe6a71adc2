import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { AnyObject, answers, listOf } from '../contract/answers.js'
import type { KnownWork } from '../known-work.js'
import { publicFailure } from '../public-failure.js'

export interface CatalogRoutesOptions {
  readonly client: NodeClient
  readonly known: KnownWork
}

/** What can be run: services ever offered, and the job definitions of this node's plugins. */
export function catalogRoutes(app: ApiServer, { client, known }: CatalogRoutesOptions): void {
  app.get(
    '/v1/services',
    {
      schema: {
        operationId: 'listServices',
        summary: 'Services that were ever offered',
        description: '`nodes` is empty for one that no live node offers now.',
        tags: ['catalog'],
        response: answers({ 200: listOf(AnyObject) }),
      },
    },
    async () => {
      const services = await known.services()
      return {
        items: services.map(({ version, ...service }) => ({
          ...service,
          versions: [version],
          nodes: known.isOffered(service.name) ? [client.identity.nodeId] : [],
        })),
        nextCursor: null,
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
        response: answers({ 200: listOf(AnyObject) }),
      },
    },
    async () => ({
      items: known.jobs,
      nextCursor: null,
      failures: client.offers.failures.map(publicFailure),
    }),
  )
}
