import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Pool } from 'undici'
import { RestClient } from '../integration/rest-client.js'
import { KnownState } from './known-state.js'
import { type FuzzRequest, type OpenApi, requestsOf } from './requests.js'

export interface FuzzOptions {
  readonly url: string
  /** The node's process, whose memory is watched. */
  readonly pid: number
  readonly requests: number
  readonly seed: number
  readonly progress?: (done: number, mib: number) => void
}

export interface FuzzReport {
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** What must not be: the request, and what is wrong with its answer. */
  readonly violations: readonly string[]
  /** Most memory of the process while the second fifth was sent, and while the last was, MiB. */
  readonly earlyMib: number
  readonly lateMib: number
}

const LANES = 16
/** Requests drawn at a time. */
const BLOCK = 1000
const VIOLATIONS_MAX = 20
/** 5xx that the contract knows: overload, no quorum, a node that stops; an outcome nobody knows. */
const REFUSED_FOR_NOW = new Set([503, 504])

/** Sends what is drawn from the served document, and holds each answer against the contract. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const client = new RestClient(options.url)
  const pool = new Pool(options.url, { connections: LANES })
  try {
    return await new FuzzRun(options, client, pool).run()
  } finally {
    await pool.destroy()
    await client.close()
  }
}

class FuzzRun {
  readonly #options: FuzzOptions
  readonly #client: RestClient
  readonly #pool: Pool
  readonly #state = new KnownState()
  readonly #statuses: Record<string, number> = {}
  readonly #violations: string[] = []
  #earlyMib = 0
  #lateMib = 0

  constructor(options: FuzzOptions, client: RestClient, pool: Pool) {
    this.#options = options
    this.#client = client
    this.#pool = pool
  }

  async run(): Promise<FuzzReport> {
    const { requests, seed } = this.#options
    const { body: document }: { body: OpenApi } = await this.#client.call('GET', '/openapi.json')
    const drawn = requestsOf(document)
    for (let done = 0; done < requests && this.#violations.length < VIOLATIONS_MAX; done += BLOCK) {
      const numRuns = Math.min(BLOCK, requests - done)
      await this.#sendAll(fc.sample(drawn, { seed: seed + done, numRuns }))
      this.#watchMemory(done / requests)
      this.#options.progress?.(done + numRuns, residentMib(this.#options.pid))
    }
    await this.#checkNode()
    return {
      statuses: this.#statuses,
      violations: this.#violations,
      earlyMib: this.#earlyMib,
      lateMib: this.#lateMib,
    }
  }

  async #sendAll(requests: FuzzRequest[]): Promise<void> {
    const left = requests.values()
    const lane = async (): Promise<void> => {
      for (const request of left) await this.#send(this.#state.resolve(request))
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  async #send(request: FuzzRequest): Promise<void> {
    const { method, path, headers, body } = request
    try {
      const response = await this.#pool.request({ method, path, headers, body })
      const status = response.statusCode
      this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
      const type = String(response.headers['content-type'] ?? '')
      // It may last as long as its job: enough is known.
      if (type.includes('event-stream')) return void response.body.on('error', () => {}).destroy()
      const text = await response.body.text()
      this.#judge(request, status, type, text)
    } catch (error) {
      this.#blame(request, `no answer: ${String(error)}`)
    }
  }

  #judge(request: FuzzRequest, status: number, type: string, text: string): void {
    if (status >= 500 && !REFUSED_FOR_NOW.has(status)) return this.#blame(request, text)
    if (request.method === 'HEAD' || text === '') return this.#state.note(request, status, null)
    if (!type.includes('json')) return
    const answer: ReturnType<typeof JSON.parse> = JSON.parse(text)
    if (status < 400) return this.#state.note(request, status, answer)
    const isProblem = type.startsWith('application/problem+json') && answer.status === status
    const isTold = /^[a-z_]+$/.test(answer.code) && String(answer.detail).length > 5
    if (!isProblem || !isTold) this.#blame(request, `not a problem that says what to do: ${text}`)
    if (/\.js:\d+:\d+|node_modules|\/tmp\//.test(text))
      this.#blame(request, `tells too much: ${text}`)
  }

  #blame({ method, path, headers, body }: FuzzRequest, what: string): void {
    const sent = body === null ? '' : ` ${body.toString('latin1').slice(0, 2000)}`
    const request = `${method} ${path} ${JSON.stringify(headers)}${sent}`
    this.#violations.push(`${request}\n  → ${what.slice(0, 1000)}`)
  }

  #watchMemory(share: number): void {
    const mib = residentMib(this.#options.pid)
    if (share >= 0.2 && share < 0.4) this.#earlyMib = Math.max(this.#earlyMib, mib)
    if (share >= 0.8) this.#lateMib = Math.max(this.#lateMib, mib)
  }

  /** It works as before, and holds what it has acknowledged and nothing else. */
  async #checkNode(): Promise<void> {
    const { status, body } = await this.#client.submit({
      service: 'test.echo',
      input: 'still here',
    })
    const job = status === 202 ? await this.#client.finished(body.id) : null
    if (job?.output !== 'still here')
      this.#violations.push(`it works no more: ${JSON.stringify(body)}`)
    const sent = { method: 'POST', path: '/v1/jobs', headers: {}, body: null }
    this.#state.note(sent, status, body)
    this.#violations.push(...(await this.#state.differences(this.#client)).slice(0, VIOLATIONS_MAX))
  }
}

/** Resident memory of a process, MiB. */
function residentMib(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return Math.round((pages * 4096) / (1024 * 1024))
}
