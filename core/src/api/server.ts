import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyError, type FastifyRequest } from 'fastify'
import type { NodeIdentity } from '../runtime/node-client.js'
import type { Admission } from './admission.js'
import type { ApiServer } from './api-server.js'
import { answerClientError } from './client-errors.js'
import { NAMED_ANSWERS } from './contract/answers.js'
import {
  BODY_BYTES_MAX,
  CONNECTIONS_MAX,
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  SLOW_CLIENT_CHECK_MS,
  URL_LENGTH_MAX,
} from './limits.js'
import type { Metrics } from './metrics.js'
import { KnownRoutes } from './not-found.js'
import { Problem } from './problem.js'
import { readJsonBody } from './request-body.js'
import { compileValidator } from './validation.js'

export interface ServerOptions {
  readonly identity: NodeIdentity
  readonly admission: Admission
  readonly metrics: Metrics
  /** Failures that are the node's own fault; the client gets 500 without any detail. */
  readonly report: (error: unknown) => void
  readonly isStopping: () => boolean
}

/** Fastify with our conventions and without routes: problems everywhere, bounded everything. */
export function makeServer(options: ServerOptions): ApiServer {
  const { identity, admission, metrics, report, isStopping } = options
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
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => {
      const problem = frameworkProblem(error)
      reply.raw.writeHead(problem.status, { 'content-type': PROBLEM_TYPE })
      reply.raw.end(JSON.stringify(problem.toBody()))
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.server.maxConnections = CONNECTIONS_MAX
  app.setValidatorCompiler(compileValidator)
  app.setSerializerCompiler(() => JSON.stringify)
  for (const schema of NAMED_ANSWERS) app.addSchema(schema)
  parseOnlyJson(app)

  const servedBy = headerText(identity.name, identity.nodeId)
  const routes = new KnownRoutes()
  routes.watch(app)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'Gyre-Served-By': servedBy, 'X-Content-Type-Options': 'nosniff' })
    if (isStopping()) throw new Problem('not_ready', 'the node is stopping; ask another node')
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0') {
      throw new Problem('malformed_request', 'HTTP/1.1 requests name their Host')
    }
    if (request.url.length > URL_LENGTH_MAX) {
      throw new Problem('uri_too_long', `a URL may have ${URL_LENGTH_MAX} characters`)
    }
    // Here, not in a handler: an unknown path is told before its body is looked at.
    if (request.is404) throw routes.problemFor(request.method, request.url)
    admission.enter(request)
  })
  app.addHook('onSend', async (_request, reply) => {
    // A connection that is kept alive would keep the server from closing.
    if (isStopping()) reply.header('Connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    admission.leave(request)
    metrics.countRequest(request, reply)
  })
  app.addHook('onRequestAbort', async (request) => admission.leave(request))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemFor(error, request, report)
    return reply
      .code(problem.status)
      .headers(problem.headers)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem.toBody(pathOf(request))))
  })
  return app
}

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

function parseOnlyJson(app: ApiServer): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, readJsonBody)
}

function problemFor(
  error: FastifyError | Problem,
  request: FastifyRequest,
  report: (error: unknown) => void,
): Problem {
  if (error instanceof Problem) return error
  const limit = request.routeOptions.bodyLimit ?? BODY_BYTES_MAX
  switch (error.code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('unsupported_media_type', 'send JSON with Content-Type: application/json')
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('payload_too_large', `the limit for this body is ${limit} bytes`)
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new Problem('malformed_request', 'Content-Length does not match the body')
    default:
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
    return new Problem('uri_too_long', `a URL may have ${URL_LENGTH_MAX} characters`)
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
