import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { arcOf } from '../../base/ids.js'
import type { NodeClient } from '../../runtime/node-client.js'
import type { ApiServer } from '../api-server.js'
import { answers } from '../contract/answers.js'
import { FollowHeaders } from '../contract/headers.js'
import { JobParams } from '../contract/parameters.js'
import type { EventStreams, EventsPage } from '../event-streams.js'
import { EVENT_PAGE_EVENTS } from '../limits.js'
import { Problem, stoppingProblem } from '../problem.js'
import { goneSignal, successOf } from '../send-reply.js'
import { jobIdOf } from './jobs.js'

export interface EventRoutesOptions {
  readonly client: NodeClient
  readonly streams: EventStreams
}

const ANSWERS = answers({
  200: {
    description: 'Events',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  },
  204: { description: 'The job has ended, and everything was told.' },
})

/** The timeline of a job as it happens. */
export function eventRoutes(app: ApiServer, { client, streams }: EventRoutesOptions): void {
  app.get(
    '/v1/jobs/:id/events',
    {
      // Whoever asks for the head alone would follow the job to its end for nothing.
      exposeHeadRoute: false,
      schema: {
        operationId: 'followJob',
        summary: 'The timeline of a job, live',
        description:
          'Server-sent events: each has the `seq` of its history as `id` and its JSON as `data`. ' +
          'The stream ends behind the last event. `Last-Event-ID` resumes; 204 says that nothing ' +
          'is left to tell, upon which event sources do not come back. While attempts run, events named ' +
          '`activity` without an `id` say what they told: `{progress, steps: [{name, attempt, progress}], ' +
          'logLines}`; `logLines` is the `seq` of the newest line of the log.',
        tags: ['jobs'],
        headers: FollowHeaders,
        params: JobParams,
        response: ANSWERS,
      },
    },
    async (request, reply) => {
      const id = jobIdOf(request.params.id)
      const after = lastEventIdOf(request.headers['last-event-id'])
      refuseIfFull()
      const gone = goneSignal(reply)
      const first = await firstPage(id, after ?? 0)
      const isTold = after !== undefined && first.ended && first.items.length === 0
      if (isTold) return send(reply.code(204), '')
      // Asked again: others have come meanwhile.
      refuseIfFull()
      reply.headers({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
      return send(reply, streams.open({ id, after: after ?? 0, first, gone }))
    },
  )

  function refuseIfFull(): void {
    if (streams.isStopped) throw stoppingProblem()
    if (!streams.isFull) return
    throw new Problem('overloaded', 'too many timelines are followed here; try again later')
  }

  async function firstPage(id: string, after: number): Promise<EventsPage> {
    const arc = arcOf(id, client.identity.arcCount)
    const reply = await client.query(arc, { kind: 'history', id, after, limit: EVENT_PAGE_EVENTS })
    return JSON.parse(successOf(reply).body ?? '{"items":[],"more":false,"ended":true}')
  }
}

/** The answer's schema is for readers of the document: what is sent is no JSON. */
function send(reply: FastifyReply, answer: string | Readable): FastifyReply {
  return reply.send(answer)
}

/** @throws Problem `invalid_request` for what no event of a job has as its ID */
function lastEventIdOf(text: string | string[] | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text)
  throw new Problem('invalid_request', 'Last-Event-ID is the `id` of an event, a whole number', {
    at: 'Last-Event-ID',
  })
}
