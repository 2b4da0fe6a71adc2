import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { Agent, request } from 'undici'

/**
 * A client written from api.md alone: it knows the contract, none of our code. It never retries by
 * itself, so that a test sees each answer.
 */
export class RestClient {
  readonly #url: string
  readonly #agent: Agent

  /** @param connections at a time; with one, a request waits for the answer to the one before */
  constructor(url: string, connections = 64) {
    this.#url = url
    this.#agent = new Agent({ connections, headersTimeout: 70_000, bodyTimeout: 70_000 })
  }

  /** A client that is closed when its owner ends. */
  static open(owner: Owner, url: string, connections?: number): RestClient {
    const client = new RestClient(url, connections)
    atEnd(owner, () => client.close())
    return client
  }

  async call(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
    const { body, headers } = options
    const response = await request(this.#url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      dispatcher: this.#agent,
    })
    const text = await response.body.text()
    const isJson = String(response.headers['content-type']).includes('json')
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    }
  }

  /** Submits a job; the answer may be any. */
  submit(submission: unknown, key?: string, headers: Headers = {}): Promise<Answer> {
    const withKey = key === undefined ? headers : { ...headers, 'idempotency-key': key }
    return this.call('POST', '/v1/jobs', { body: submission, headers: withKey })
  }

  /** Waits for a job's end. */
  async finished(id: string): Promise<Job> {
    for (let look = 0; look < LOOKS; look += 1) {
      const { status, body } = await this.call('GET', `/v1/jobs/${id}?wait=10s`)
      if (status !== 200) throw new Error(`job ${id}: ${status} ${JSON.stringify(body)}`)
      if (FINAL.has(body.status)) return body
    }
    throw new Error(`job ${id} has not ended after ${LOOKS} reads of 10 s`)
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH'
type Headers = Readonly<Record<string, string>>

export interface CallOptions {
  readonly body?: unknown
  readonly headers?: Headers
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** JSON as it came; a test names the members that it expects. */
  readonly body: ReturnType<typeof JSON.parse>
}

export interface Job {
  readonly id: string
  readonly status: string
  readonly cause: string | null
  readonly output: unknown
  readonly error: { readonly code: string; readonly message: string } | null
  readonly steps: readonly {
    readonly name: string
    readonly status: string
    readonly attemptCount: number
    readonly attempts: readonly {
      readonly attempt: number
      readonly outcome: string | null
      readonly error: { readonly code: string } | null
    }[]
    readonly compensation: { readonly status: string } | null
  }[]
}

const LOOKS = 12
const FINAL = new Set(['succeeded', 'failed', 'cancelled', 'compensated', 'compensation_failed'])
