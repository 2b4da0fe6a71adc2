import { Type } from '@gyre/jobs/typebox'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'

export interface DiscoveryRouteOptions {
  readonly client: NodeClient
  /** Where the API listens, as a URL; known once it does. */
  readonly address: () => string
}

const Targets = Type.Array(
  Type.Object({
    targets: Type.Array(Type.String({ description: 'HOST:PORT of a node.' })),
    labels: Type.Record(Type.String(), Type.String()),
  }),
)

/** Addresses that say "every interface", which nobody can connect to. */
const WILDCARDS = new Set(['0.0.0.0', '[::]'])

/** The ring's nodes for Prometheus' HTTP service discovery. */
export function discoveryRoute(app: ApiServer, { client, address }: DiscoveryRouteOptions): void {
  app.get(
    '/v1/sd',
    {
      schema: {
        operationId: 'discoverNodes',
        summary: 'The nodes of the ring, for Prometheus',
        description: 'In the form of `http_sd_configs`; each target serves `/metrics`.',
        tags: ['ring'],
        response: answers({ 200: Targets }),
      },
    },
    async (request) => {
      const { clusterId, nodeId, name } = client.identity
      const own = new URL(address())
      // Who asked has found a way here.
      const target = WILDCARDS.has(own.hostname) ? request.host : own.host
      const labels = { gyre_cluster: clusterId, gyre_node: nodeId, gyre_name: name }
      return [{ targets: [target], labels }]
    },
  )
}
