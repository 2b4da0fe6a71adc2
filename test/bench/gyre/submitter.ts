import { atRate, inFlight, sharedNow } from '../pacing.js'
import { failsInSaga, payload } from '../payload.js'
import { answer } from '../role.js'
import {
  BATCH_JOBS,
  BATCHES_IN_FLIGHT,
  IN_FLIGHT,
  PACED_PER_SECOND,
  type Run,
  type WholeRun,
} from '../workloads.js'
import { BenchClient } from './client.js'

/** As many as a service has slots by default: more would only wait. */
const FAN_OUT_CONCURRENCY = 256

/** Holds what the jobs of `fill` wait for. */
let gate = ''

const client = new BenchClient(process.env['GYRE_BENCH_URL'] ?? '')

answer(async (question) => {
  if (question.ask === 'run') return await WORK[question.workload](question.size)
  if (question.ask === 'fill') return await fill(question.size)
  if (question.ask === 'drain') return await drain()
  throw new Error(`a submitter of Gyre is not asked to ${question.ask}`)
})

const WORK: Readonly<Record<WholeRun, (size: number) => Promise<Run>>> = {
  async w1(size) {
    return timed(size, async () => {
      const latencies = await inFlight(size, IN_FLIGHT, (n) =>
        client.send('POST', '/v1/jobs', { service: 'bench.noop', input: payload(n) }),
      )
      await client.drained()
      return latencies
    })
  },

  async 'w1-batch'(size) {
    return timed(size, async () => {
      const latencies = await submitBatches('bench.noop', size)
      await client.drained()
      return latencies
    })
  },

  /** Each job is waited for, whatever the others do. */
  async w2(size) {
    const starts: number[] = []
    const run = await timed(size, () =>
      atRate(size, PACED_PER_SECOND, async (n) => {
        const input = payload(n)
        const body = { service: 'bench.noop', input }
        const { text } = await client.send('POST', '/v1/jobs', body, { prefer: 'wait=10' })
        const { output } = JSON.parse(text) as { readonly output: { readonly startedAt: number } }
        starts.push(output.startedAt - input.submittedAt)
        return sharedNow() - input.submittedAt
      }),
    )
    return { ...run, starts }
  },

  async w3(size) {
    return timed(size, async () => {
      const latencies = await inFlight(size, IN_FLIGHT, (n) => {
        const input = { ...payload(n), fails: failsInSaga(n) }
        return client.send('POST', '/v1/jobs', { job: 'bench.saga', input })
      })
      await client.drained()
      return latencies
    })
  },

  async 'fan-out'(size) {
    const each = {
      service: 'bench.noop',
      forEach: { range: size },
      concurrency: FAN_OUT_CONCURRENCY,
      input: { n: { $from: '/item' }, padding: payload(0).padding },
      collect: 'count',
    }
    return timed(size, async () => {
      await client.send('POST', '/v1/jobs', { steps: { each } })
      await client.drained()
      return []
    })
  },

  async cas(size) {
    const versions = new Map<number, string>()
    return timed(size, () =>
      inFlight(size, IN_FLIGHT, async (n) => {
        // A key is free again only when its write before this one is answered.
        const key = freeKey()
        const version = versions.get(key)
        const condition = version === undefined ? {} : { 'if-match': version }
        const { etag } = await client.send('PUT', `/v1/dht/bench-${key}`, { n }, condition)
        versions.set(key, etag)
        keys.push(key)
      }),
    )
  },
}

const keys = Array.from({ length: IN_FLIGHT }, (_, key) => key)

function freeKey(): number {
  const key = keys.pop()
  if (key === undefined) throw new Error('more writes under way than there are keys')
  return key
}

/** The jobs wait for a resource that the first job holds until it is cancelled. */
async function fill(size: number): Promise<number> {
  const { text } = await client.send('POST', '/v1/jobs', { service: 'bench.gate', input: {} })
  gate = (JSON.parse(text) as { readonly id: string }).id
  const { seconds } = await timed(size, () => submitBatches('bench.gated', size))
  return seconds
}

async function drain(): Promise<number> {
  const { seconds } = await timed(0, async () => {
    await client.send('POST', `/v1/jobs/${gate}/cancel`, {})
    await client.drained()
    return []
  })
  return seconds
}

function submitBatches(service: string, size: number): Promise<number[]> {
  return inFlight(Math.ceil(size / BATCH_JOBS), BATCHES_IN_FLIGHT, (n) => {
    const count = Math.min(BATCH_JOBS, size - n * BATCH_JOBS)
    const jobs = Array.from({ length: count }, (_, i) => {
      return { service, input: payload(n * BATCH_JOBS + i) }
    })
    return client.send('POST', '/v1/jobs/batch', { jobs })
  })
}

async function timed(size: number, work: () => Promise<readonly number[]>): Promise<Run> {
  const begun = performance.now()
  const latencies = await work()
  return { operations: size, seconds: (performance.now() - begun) / 1000, latencies }
}
