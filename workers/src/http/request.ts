import type { Json } from '@gyre/jobs'
import { type Dispatcher, request as send } from 'undici'
import {
  defineService,
  giveUp,
  retryLater,
  ServiceError,
  type ServiceContext,
} from '../sdk/index.js'
import { GuardedAgent, type Lookup } from './guarded-agent.js'
import { ANSWER_BYTES_MAX, REDIRECTS_MAX, REQUEST_BYTES_MAX } from './limits.js'

const INPUT = {
  type: 'object',
  required: ['url'],
  properties: {
    url: { type: 'string', maxLength: 8192 },
    method: { enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
    headers: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 100 },
    /** A text goes as it is, anything else as JSON. */
    body: {},
    /** `success` (default): any other status than 2xx fails the attempt. `any`: every answer is a result. */
    accept: { enum: ['success', 'any'] },
  },
  additionalProperties: false,
} as const

export interface HttpAnswer {
  readonly status: number
  /** After redirects. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Parsed where the answer says that it is JSON, else text. */
  readonly body: Json
}

interface Call {
  readonly url: URL
  readonly method: Dispatcher.HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** The service over a look-up of names; the real one is the system's. */
export function makeRequest(lookup?: Lookup) {
  return defineService({
    name: 'http.request',
    version: '1.0.0',
    description: 'Sends one HTTP request and returns the answer.',
    timeout: '60s',
    concurrency: 32,
    input: INPUT,
    async run(
      { url, method = 'GET', headers = {}, body, accept = 'success' },
      ctx,
    ): Promise<HttpAnswer> {
      const agents = new GuardedAgent(allowList(ctx), lookup)
      try {
        const call = firstCall({ url, method, headers, body }, ctx)
        const answer = await follow(agents, call, ctx.signal)
        return accept === 'any' ? answer : successOf(answer)
      } finally {
        await agents.close()
      }
    },
  })
}

export const request = makeRequest()

function allowList({ config }: ServiceContext): readonly string[] {
  const own = config['http.request']
  const allow = typeof own === 'object' && own !== null && 'allow' in own ? own['allow'] : []
  if (Array.isArray(allow) && allow.every((entry) => typeof entry === 'string')) return allow
  throw giveUp('config_invalid', '"http.request" of --worker-config must be {"allow": ["host", …]}')
}

const HOP_BY_HOP = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'keep-alive'],
  ...['te', 'trailer', 'expect', 'proxy-authorization', 'proxy-connection'],
])

interface Wanted {
  readonly url: string
  readonly method: Dispatcher.HttpMethod
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

function firstCall({ url, method, headers, body }: Wanted, ctx: ServiceContext): Call {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  if (text !== null && Buffer.byteLength(text) > REQUEST_BYTES_MAX) {
    throw giveUp('request_too_large', `the body is larger than ${REQUEST_BYTES_MAX} bytes`)
  }
  const own: Record<string, string> = {}
  if (text !== null && typeof body !== 'string') own['content-type'] = 'application/json'
  // A repeat of this attempt can be recognised by whoever knows the header.
  if (method !== 'GET' && method !== 'HEAD') own['idempotency-key'] = ctx.idempotencyKey
  if (ctx.traceparent !== undefined) own['traceparent'] = ctx.traceparent
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (HOP_BY_HOP.has(lower))
      throw giveUp('header_refused', `the header ${name} is set by the node`)
    own[lower] = value
  }
  return { url: urlOf(url), method, headers: own, body: text }
}

function urlOf(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : null
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
  if (!isHttp) throw giveUp('url_invalid', 'the URL is not one of http or https')
  if (url.username !== '' || url.password !== '') {
    throw giveUp('url_invalid', 'the URL holds a user or password; send an authorization header')
  }
  return url
}

/** Redirects are followed here, not by the client: each place is looked at like the first. */
async function follow(agents: GuardedAgent, first: Call, signal: AbortSignal): Promise<HttpAnswer> {
  let call = first
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const answer = await once(agents, call, signal)
    const { location } = answer.headers
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer
    call = redirected(call, answer.status, location)
  }
  throw giveUp('too_many_redirects', `more than ${REDIRECTS_MAX} redirects`)
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

function redirected(call: Call, status: number, location: string): Call {
  const url = urlOf(location, call.url)
  const { authorization: _authorization, cookie: _cookie, ...others } = call.headers
  const headers = url.origin === call.url.origin ? call.headers : others
  const becomesGet = status === 303 || (status < 303 && call.method === 'POST')
  if (!becomesGet || call.method === 'HEAD') return { ...call, url, headers }
  const { 'content-type': _type, 'idempotency-key': _key, ...bare } = headers
  return { url, headers: bare, method: 'GET', body: null }
}

async function once(agents: GuardedAgent, call: Call, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, method, headers, body } = call
  const dispatcher = agents.agentFor(url)
  try {
    const answer = await send(url, { method, headers, body, signal, dispatcher })
    const text = await boundedText(answer.body)
    const told = plainHeaders(answer.headers)
    return { status: answer.statusCode, url: url.href, headers: told, body: bodyOf(told, text) }
  } catch (error) {
    throw failureOf(error, url, signal)
  }
}

async function boundedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) {
      throw giveUp('answer_too_large', `the answer is larger than ${ANSWER_BYTES_MAX} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function plainHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

function bodyOf(headers: Readonly<Record<string, string>>, text: string): Json {
  if (!/\bjson\b/i.test(headers['content-type'] ?? '')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What the network did wrong may go better next time; what the guard refused never will. */
function failureOf(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  const own =
    error instanceof ServiceError ? error : error instanceof Error ? error.cause : undefined
  if (own instanceof ServiceError) return own
  const why = error instanceof Error ? error.message : 'it failed'
  return retryLater('http_failed', `no answer from ${url.host}: ${why}`)
}

function successOf(answer: HttpAnswer): HttpAnswer {
  const { status, url, body } = answer
  if (status >= 200 && status < 300) return answer
  const mayRecover = status >= 500 || status === 408 || status === 425 || status === 429
  const start = (typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 500)
  throw new ServiceError('http_status', `${new URL(url).host} answered ${status}`, {
    retryable: mayRecover,
    details: { status, body: start },
  })
}
