import { Type } from 'typebox'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { AnyObject, answers } from '../contract/answers.js'
import type { Metrics } from '../metrics.js'
import { Problem } from '../problem.js'
import { statusInTime } from '../status-in-time.js'

export interface HealthRoutesOptions {
  readonly client: NodeClient
  readonly metrics: Metrics
}

/** For process supervisors, load balancers and Prometheus. */
export function healthRoutes(app: ApiServer, { client, metrics }: HealthRoutesOptions): void {
  app.get(
    '/livez',
    {
      schema: {
        summary: 'Alive: this process answers',
        tags: ['health'],
        response: answers({ 200: AnyObject }),
      },
    },
    async () => ({ status: 'alive' }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Ready: this node takes work',
        tags: ['health'],
        response: answers({ 200: AnyObject }),
      },
    },
    async () => {
      const status = await statusInTime(client)
      if (status?.serving === true) return { status: 'ready' }
      throw new Problem('not_ready', status?.reason ?? 'the engine does not answer in time')
    },
  )

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Prometheus metrics',
        tags: ['health'],
        response: { 200: Type.String({ description: 'Prometheus text format' }) },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  )
}
