import pRetry from 'p-retry'
import type { Pool } from 'undici'
import { EventParser, type ServerEvent } from './event-parser.js'
import { CliError, EXIT, inOneLine, usageError } from './cli-error.js'

/** A read may be held open for the 60 s that the API allows, and then some. */
const ANSWER_TIMEOUT_MS = 75_000
const CONNECT_TIMEOUT_MS = 5_000
/** Tries in all when a node refuses for a moment (503 with Retry-After): nothing was stored then. */
const TRIES = 4
/** The longest pause that a Retry-After is believed for, milliseconds. */
const MAX_PAUSE_MS = 5_000

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
])

/** A problem (RFC 9457) that a node answered. */
export class ApiProblem extends CliError {
  readonly code: string
  readonly status: number
  readonly retryAfterMs: number | null

  constructor(status: number, problem: Problem, retryAfterMs: number | null) {
    const text = problem.detail ?? problem.title ?? `The node answered ${status}.`
    const fields = (problem.errors ?? [])
      .filter(({ path, message }) => !text.includes(path) || !text.includes(message))
      .map((error) => `\n  ${error.path}: ${error.message}`)
    super(text + fields.join(''), { remedy: `(${problem.code ?? 'no code'}, HTTP ${status})` })
    this.status = status
    this.code = problem.code ?? 'unknown'
    this.retryAfterMs = retryAfterMs
  }
}

interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly code?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** JSON text. */
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer<T> {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: T
}

/** One node's API, as a client from outside sees it. */
export class HttpClient {
  readonly url: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #origin: string
  #pool: Promise<Pool> | null = null
  readonly #prefix: string

  constructor(options: { readonly url: string; readonly token?: string }) {
    const address = parseAddress(options.url)
    this.url = options.url
    this.#prefix = address.pathname.replace(/\/+$/, '')
    this.#headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
    this.#origin = address.origin
  }

  /**
   * Calls the API and decodes the answer.
   *
   * @param path  below the node's address, parts already percent-encoded
   * @throws ApiProblem for a refusal (after a few tries where the node asked for a pause);
   *   CliError with exit code 4 where no node answered
   */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    return pRetry(() => this.#once<T>(method, path, options), {
      retries: TRIES - 1,
      minTimeout: 0,
      shouldRetry: ({ error }) => error instanceof ApiProblem && error.retryAfterMs !== null,
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (retriesLeft > 0 && error instanceof ApiProblem) await pause(error.retryAfterMs ?? 0)
      },
    })
  }

  /**
   * Opens a stream of server-sent events; each part is what came at once.
   *
   * @param after  `Last-Event-ID`; undefined: from the beginning
   * @throws as `call`; also when the connection breaks on the way
   */
  async *stream(path: string, after: string | undefined): AsyncGenerator<readonly ServerEvent[]> {
    const last = after === undefined ? {} : { 'last-event-id': after }
    const headers = { accept: 'text/event-stream', ...last }
    const { statusCode, body, headers: answered } = await this.#send('GET', path, { headers })
    if (statusCode >= 400) {
      const problem = this.#decode(await body.text(), statusCode)
      throw new ApiProblem(statusCode, problem ?? {}, retryAfter({ statusCode, headers: answered }))
    }
    const parser = new EventParser()
    try {
      for await (const part of body.setEncoding('utf8')) yield parser.take(String(part))
    } catch (cause) {
      throw this.#unreachable(cause)
    }
  }

  async close(): Promise<void> {
    await (await this.#pool)?.close()
  }

  async #once<T>(method: string, path: string, options: CallOptions): Promise<Answer<T>> {
    const response = await this.#send(method, path, options)
    const text = await response.body.text().catch((cause: unknown) => {
      throw this.#unreachable(cause)
    })
    const body = this.#decode(text, response.statusCode)
    if (response.statusCode >= 400) {
      throw new ApiProblem(response.statusCode, body ?? {}, retryAfter(response))
    }
    return { status: response.statusCode, headers: response.headers, body: body as T }
  }

  async #send(method: string, path: string, options: CallOptions) {
    const content = options.body === undefined ? {} : { 'content-type': 'application/json' }
    const headers = onTheWire({ ...this.#headers, ...options.headers })
    try {
      this.#pool ??= poolOf(this.#origin)
      const pool = await this.#pool
      return await pool.request({
        method,
        path: this.#prefix + path + queryText(options.query ?? {}),
        headers: { accept: 'application/json', ...content, ...headers },
        body: options.body ?? null,
      })
    } catch (cause) {
      throw this.#unreachable(cause)
    }
  }

  #decode(text: string, status: number) {
    if (text === '') return undefined
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new CliError(`${this.url} answered ${status} with something that is not JSON.`, {
        remedy: 'Is this the address of a Gyre node? Name one with --url or GYRE_URL.',
        cause,
      })
    }
  }

  /** Whatever else went wrong on the way: what was asked may have been done, or not. */
  #failed(cause: unknown): CliError {
    return new CliError(`The call to ${this.url} failed (${inOneLine(cause)}).`, {
      remedy:
        'Is this the address of a Gyre node? Name one with --url or GYRE_URL; GYRE_DEBUG=1 shows where it failed.',
      cause,
    })
  }

  #unreachable(cause: unknown): CliError {
    const code = codeOf(cause)
    if (cause instanceof CliError) return cause
    if (!UNREACHABLE.has(code)) return this.#failed(cause)
    return new CliError(`No node answers at ${this.url} (${code}).`, {
      exitCode: EXIT.noNode,
      remedy: 'Start one with `gyre dev`, or name another with --url or GYRE_URL.',
      cause,
    })
  }
}

/**
 * A pool sends paths as they are written; a URL would swallow a key named `..`. Loaded when a command first
 * calls a node: a node that starts has a client, too, and undici takes 100 ms of a core.
 */
async function poolOf(origin: string): Promise<Pool> {
  const { Pool: UndiciPool } = await import('undici')
  return new UndiciPool(origin, {
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
  })
}

/**
 * Header values as they are sent: the bytes of their UTF-8, each as one character, which is how undici
 * takes bytes.
 *
 * @throws CliError wrong usage, for what no header can carry
 */
function onTheWire(headers: Readonly<Record<string, string>>): Record<string, string> {
  const sent: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (CONTROL_CHARACTER.test(value)) {
      throw usageError(
        `The value for ${name} holds a control character, which no header can carry.`,
        'Give it without line breaks, tabs and other control characters.',
      )
    }
    sent[name] = Buffer.from(value).toString('latin1')
  }
  return sent
}

const CONTROL_CHARACTER = /\p{Cc}/u

function parseAddress(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : null
  if (address?.protocol === 'http:' || address?.protocol === 'https:') return address
  throw usageError(`expected an address like http://127.0.0.1:7070 for --url, got ${url}.`)
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
}

function retryAfter(response: {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}): number | null {
  const seconds = Number(response.headers['retry-after'])
  if (response.statusCode !== 503 || !Number.isFinite(seconds)) return null
  return Math.min(seconds * 1000, MAX_PAUSE_MS)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
