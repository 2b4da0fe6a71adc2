import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'

/** Requests in flight: many enough to fill the log's batches, few enough to measure a latency. */
const IN_FLIGHT = 64
const BATCH_JOBS = 500
/** Batches in flight: more would only be refused as overload. */
const BATCHES_IN_FLIGHT = 4
/** As many as the service has slots by default: more would only wait. */
const FAN_OUT_CONCURRENCY = 256
const PAYLOAD = 'x'.repeat(150)

export interface Run {
  /** Operations that were done: jobs that ended, or writes. */
  readonly operations: number
  readonly seconds: number
  /** Of single requests, ms, sorted. */
  readonly latencies: readonly number[]
}

export interface Workload {
  readonly name: string
  readonly what: string
  run(url: string, size: number): Promise<Run>
}

/** W1 one by one: from the first submission to the end of the last job. */
const oneByOne: Workload = {
  name: 'w1',
  what: `one-step no-op jobs of about 200 bytes, one request each, ${IN_FLIGHT} in flight`,
  run: (url, size) =>
    measured(url, async (client) => {
      const latencies = await inFlight(size, IN_FLIGHT, (n) =>
        client.send('POST', '/v1/jobs', submission(n), 202),
      )
      await client.drained()
      return { operations: size, latencies }
    }),
}

/** W1 by batches. */
const batches: Workload = {
  name: 'w1-batch',
  what: `the same by batches of ${BATCH_JOBS}, ${BATCHES_IN_FLIGHT} in flight`,
  run: (url, size) =>
    measured(url, async (client) => {
      const count = Math.ceil(size / BATCH_JOBS)
      const latencies = await inFlight(count, BATCHES_IN_FLIGHT, (n) => {
        const jobs = Array.from({ length: BATCH_JOBS }, (_, i) => submission(n * BATCH_JOBS + i))
        return client.send('POST', '/v1/jobs/batch', { jobs }, 202)
      })
      await client.drained()
      return { operations: count * BATCH_JOBS, latencies }
    }),
}

/** W2: how long one job takes, from submission to its result, on a node that is not busy. */
const latency: Workload = {
  name: 'w2',
  what: '20 jobs a second, each waited for: submission to result',
  run: (url, size) =>
    measured(url, async (client) => {
      const latencies: number[] = []
      const count = Math.min(size, 200)
      for (let n = 0; n < count; n += 1) {
        const begun = performance.now()
        await client.send('POST', '/v1/jobs', submission(n), 200, { prefer: 'wait=10' })
        const took = performance.now() - begun
        latencies.push(took)
        await pause(Math.max(0, 50 - took))
      }
      return { operations: count, latencies }
    }),
}

/** One step of many items: what a large fan-out costs, from its submission to its end. */
const fanOut: Workload = {
  name: 'fan-out',
  what: 'one job of one forEach step of that many no-op items (at most 100,000)',
  run: (url, size) =>
    measured(url, async (client) => {
      const each = {
        service: 'test.echo',
        forEach: { range: size },
        concurrency: FAN_OUT_CONCURRENCY,
        input: { n: { $from: '/item' }, payload: PAYLOAD },
        collect: 'count',
      }
      const begun = performance.now()
      await client.send('POST', '/v1/jobs', { steps: { each } }, 202)
      await client.drained()
      return { operations: size, latencies: [performance.now() - begun] }
    }),
}

/** Plain writes of records with a version check. */
const compareAndSet: Workload = {
  name: 'cas',
  what: `records written with If-Match, ${IN_FLIGHT} in flight, a key each`,
  run: (url, size) =>
    measured(url, async (client) => {
      const versions = new Map<number, string>()
      const latencies = await inFlight(size, IN_FLIGHT, async (n) => {
        const key = n % IN_FLIGHT
        const version = versions.get(key)
        const condition = version === undefined ? {} : { 'if-match': version }
        const path = `/v1/dht/bench-${key}`
        versions.set(key, await client.send('PUT', path, { n }, null, condition))
      })
      return { operations: size, latencies }
    }),
}

export const WORKLOADS: readonly Workload[] = [oneByOne, batches, fanOut, latency, compareAndSet]

function submission(n: number): object {
  return { service: 'test.echo', input: { n, payload: PAYLOAD } }
}

/** Runs `one` for 0 … count − 1, each of the lanes taking every so many-th. @returns ms */
async function inFlight(
  count: number,
  lanes: number,
  one: (n: number) => Promise<unknown>,
): Promise<number[]> {
  const latencies: number[] = []
  const lane = async (first: number): Promise<void> => {
    for (let n = first; n < count; n += lanes) {
      const begun = performance.now()
      await one(n)
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, first) => lane(first)))
  return latencies
}

async function measured(
  url: string,
  work: (client: Client) => Promise<Omit<Run, 'seconds'>>,
): Promise<Run> {
  const client = new Client(url)
  const begun = performance.now()
  const { operations, latencies } = await work(client)
  const seconds = (performance.now() - begun) / 1000
  await client.close()
  return { operations, seconds, latencies: latencies.toSorted((a, b) => a - b) }
}

class Client {
  readonly #pool: Pool

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: IN_FLIGHT })
  }

  /** @returns the answer's ETag, '' without one. @throws when its status is not the expected one */
  async send(
    method: 'POST' | 'PUT' | 'GET',
    path: string,
    body: unknown,
    expected: number | null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    const text = await answer.body.text()
    const isFine = expected === null ? answer.statusCode < 300 : answer.statusCode === expected
    if (!isFine) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
    return String(answer.headers['etag'] ?? '')
  }

  /** Waits until nothing is queued and nothing runs. */
  async drained(): Promise<void> {
    for (const status of ['queued', 'running']) {
      for (;;) {
        const answer = await this.#pool.request({
          method: 'GET',
          path: `/v1/jobs?status=${status}&limit=1`,
        })
        const page = (await answer.body.json()) as { readonly items: readonly unknown[] }
        if (page.items.length === 0) break
        await pause(20)
      }
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
