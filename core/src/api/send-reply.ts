import type { FastifyReply } from 'fastify'
import type { Reply } from '../protocol/ledger/outcome.js'
import { problemOf } from './problem.js'

/** A reply that is not a refusal. */
export type Success = Extract<Reply, { readonly ok: true }>

/** @throws Problem for a refusal */
export function successOf(reply: Reply): Success {
  if (reply.ok) return reply
  throw problemOf(reply)
}

/** Sends JSON text as it is: the ledger has rendered it, nobody parses it again. */
export function sendJson(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(text)
}

/** Marks an answer that was given before. @returns true when it is one */
export function markReplay(reply: FastifyReply, success: Success): boolean {
  const { result } = success
  const replayed = success.replayed === true || result === 'replayed' || result === 'replayed-final'
  if (replayed) reply.header('Idempotency-Replayed', 'true')
  return replayed
}

/** Answers a call that makes a job: 202, where it is, and the job as it begins. */
export function sendNewJob(reply: FastifyReply, success: Success): FastifyReply {
  markReplay(reply, success)
  const body = success.body ?? '{}'
  const { id }: { id: string } = JSON.parse(body)
  reply.header('Location', `/v1/jobs/${id}`)
  return sendJson(reply, 202, body)
}

/** Aborted when the client closes its connection before it has its answer. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}
