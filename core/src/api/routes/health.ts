import { Type } from '@gyre/jobs/typebox'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import type { Metrics } from '../metrics.js'
import { Problem } from '../problem.js'
import { statusInTime } from '../status-in-time.js'

const PROMETHEUS = {
  description: 'Prometheus text format',
  content: { 'text/plain': { schema: { type: 'string' } } },
}

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
        operationId: 'getLiveness',
        summary: 'Alive: this process answers',
        tags: ['health'],
        response: answers({ 200: Type.Object({ status: Type.Literal('alive') }) }),
      },
    },
    async () => ({ status: 'alive' }),
  )

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Ready: this node takes work',
        tags: ['health'],
        response: answers({ 200: Type.Object({ status: Type.Literal('ready') }) }),
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
        operationId: 'getMetrics',
        summary: 'Prometheus metrics',
        tags: ['health'],
        response: answers({ 200: PROMETHEUS }),
      },
    },
    async (_request, reply) => {
      const { type, text } = await metrics.render()
      return reply.type(type).send(text)
    },
  )
}
