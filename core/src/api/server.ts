import type { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify'
import type { NodeIdentity } from '../runtime/node-client.js'
import type { Admission } from './admission.js'
import type { ApiServer } from './api-server.js'
import { checkBodyEncoding } from './body-encoding.js'
import { answerClientError } from './client-errors.js'
import { closeQueries } from './closed-queries.js'
import { collectBody, tooLarge } from './collect-body.js'
import { connectionsMaxFor, openFilesMax } from './connection-limit.js'
import { NAMED_ANSWERS } from './contract/answers.js'
import { drainBeforeClosing } from './drain.js'
import { refuseExpectations } from './expectations.js'
import {
  BODY_BYTES_MAX,
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  SLOW_CLIENT_CHECK_MS,
  URL_LENGTH_MAX,
} from './limits.js'
import type { Metrics } from './metrics.js'
import { KnownRoutes } from './not-found.js'
import { OpenExchanges } from './open-exchanges.js'
import { Pipelines } from './pipelines.js'
import { Problem, stoppingProblem, urlTooLong } from './problem.js'
import { PROBLEM_TYPE, writeProblem } from './raw-problem.js'
import { readJsonBody, refuseEmptyBody } from './request-body.js'
import { decorateRequests, noteRoute } from './request-facts.js'
import type { UnreadAnswers } from './unread-answers.js'
import { compileValidator } from './validation.js'

export interface ServerOptions {
  readonly identity: NodeIdentity
  readonly admission: Admission
  readonly metrics: Metrics
  readonly unread: UnreadAnswers
  /** Failures that are the node's own fault; the client gets 500 without any detail. */
  readonly report: (error: unknown) => void
  readonly isStopping: () => boolean
}

/** Fastify with our conventions and without routes: problems everywhere, bounded everything. */
export function makeServer(options: ServerOptions): ApiServer {
  const { identity, admission, metrics, unread, report, isStopping } = options
  const servedBy = headerText(identity.name, identity.nodeId)
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    logger: false,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: URL_LENGTH_MAX },
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: SLOW_CLIENT_CHECK_MS,
      // Checked below, where the refusal can be a problem.
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, exchanges),
    frameworkErrors: (error, request, reply) => {
      writeProblem(reply.raw, frameworkProblem(error), { path: pathOf(request), servedBy })
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  const exchanges = new OpenExchanges(app.server)
  refuseExpectations(app.server, servedBy)
  app.server.maxConnections = connectionsMaxFor(openFilesMax())
  app.setValidatorCompiler(compileValidator)
  app.setSerializerCompiler(() => JSON.stringify)
  for (const schema of NAMED_ANSWERS) app.addSchema(schema)
  parseOnlyJson(app, admission)
  closeQueries(app)
  decorateRequests(app)

  const ownHeaders = { 'gyre-served-by': servedBy, 'x-content-type-options': 'nosniff' }
  const pipelines = new Pipelines()
  const routes = new KnownRoutes()
  routes.watch(app)
  // With a callback, not async, as all hooks below: each promise on the way of a request costs turns
  // of the microtask queue, and what they throw is answered all the same.
  app.addHook('onRequest', (request, reply, done) => {
    noteRoute(request)
    reply.headers(ownHeaders)
    pipelines.enter(request.raw.socket, reply.raw)
    if (unread.isFull(request.raw.socket)) throw unreadProblem()
    if (isStopping() && !LOOKS.has(request.method)) throw stoppingProblem()
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0') {
      throw new Problem('malformed_request', 'HTTP/1.1 requests name their Host')
    }
    if (request.url.length > URL_LENGTH_MAX) {
      throw urlTooLong()
    }
    // Here, not in a handler: an unknown path is told before its body is looked at.
    const { method, url, headers, routePattern: route } = request
    const misread = routes.misreadAsParameter({ method, url, route })
    if (misread !== null) throw misread
    if (request.is404) throw routes.problemFor(method, url)
    checkBodyEncoding(headers)
    admission.enter(request)
    done()
  })
  app.addHook('preValidation', (request, _reply, done) => {
    refuseEmptyBody(request)
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const answer = readable(request, reply, payload)
    const { socket } = request.raw
    const isLast = (): boolean => pipelines.openOf(socket) === 0
    // Streams have bounds of their own.
    if (typeof answer === 'string') {
      unread.hold(socket, { response: reply.raw, bytes: answer.length }, isLast)
    }
    if (!request.raw.complete) drainBeforeClosing(request, reply, { thenClose: isStopping() })
    // A connection that is kept alive would keep the server from closing.
    else if (isStopping()) reply.header('Connection', 'close')
    done(null, answer)
  })
  app.addHook('onResponse', (request, reply, done) => {
    admission.leave(request)
    metrics.countRequest(request, reply)
    done()
  })
  app.addHook('onRequestAbort', (request, done) => {
    admission.leave(request)
    done()
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemFor(error, report)
    metrics.countProblem(problem)
    return reply
      .code(problem.status)
      .headers(problem.headers)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem.toBody(pathOf(request))))
  })
  return app

  /** The answer, or why it cannot be kept until it is read. What was done is told in any case. */
  function readable(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    if (typeof payload !== 'string' || request.method !== 'GET') return payload
    if (unread.hasRoom(request.raw.socket, payload.length)) return payload
    const problem = unreadProblem()
    reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE)
    return JSON.stringify(problem.toBody(pathOf(request)))
  }
}

/** What a node that stops still answers; reads that would wait for something refuse that themselves. */
const LOOKS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

function unreadProblem(): Problem {
  const detail =
    'the node keeps as many answers as it can that their clients do not read; read what this ' +
    'connection was sent, and try again'
  return new Problem('overloaded', detail)
}

function parseOnlyJson(app: ApiServer, admission: Admission): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', async (request: FastifyRequest, body: Readable) => {
    const { bodyBytesMax: bytesMax } = request
    const announcedBytes = Number(request.headers['content-length'])
    if (announcedBytes > bytesMax) throw tooLarge({ bytesMax })
    const bytes = await collectBody(body, {
      bytesMax,
      announcedBytes,
      take: (count) => admission.take(request, count),
      onBegin: (refuse) => admission.begin(request, refuse),
    })
    admission.end(request)
    return readJsonBody(request, bytes)
  })
}

function problemFor(error: FastifyError | Problem, report: (error: unknown) => void): Problem {
  if (error instanceof Problem) return error
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new Problem('unsupported_media_type', 'send JSON with Content-Type: application/json')
  }
  if (typeof error.statusCode === 'number' && error.statusCode < 500) {
    return new Problem('malformed_request', 'the request cannot be read')
  }
  report(error)
  return new Problem('internal_error', 'the node failed to handle this request; its log says why')
}

/** Faults that fastify finds before it knows the route. */
function frameworkProblem(error: FastifyError): Problem {
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return urlTooLong()
  }
  return new Problem('malformed_request', 'the path is not valid percent-encoded UTF-8')
}

function pathOf(request: FastifyRequest): string {
  return (request.url.split('?', 1)[0] ?? '').slice(0, URL_LENGTH_MAX)
}

/** Names are the operator's; headers take only printable ASCII. */
function headerText(text: string, otherwise: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : otherwise
}
