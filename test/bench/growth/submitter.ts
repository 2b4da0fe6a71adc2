import { BenchClient } from '../gyre/client.js'
import { inFlight } from '../pacing.js'
import { answer } from '../role.js'
import { IN_FLIGHT } from '../workloads.js'
import type { Shape } from './shape.js'

/** As many as a node runs at a time: more would only wait. */
const FAN_OUT_CONCURRENCY = 256

const client = new BenchClient(process.env['GYRE_BENCH_URL'] ?? '')

answer(async (question) => {
  if (question.ask !== 'grow') throw new Error(`is asked to ${question.ask}`)
  const { shape, size } = question
  const submission = submissionOf(shape)
  const begun = performance.now()
  let answeredBytes = 0
  await inFlight(size, IN_FLIGHT, async () => {
    const { text } = await client.send('POST', '/v1/jobs', submission)
    answeredBytes += text.length
  })
  await client.drained()
  return { seconds: (performance.now() - begun) / 1000, answeredBytes }
})

function submissionOf({ payloadBytes, steps, items }: Shape): object {
  const input = { kind: 'noop', padding: 'x'.repeat(Math.max(0, payloadBytes - 30)) }
  if (items > 0) return { steps: { each: fanOut(items) } }
  if (steps === 1) return { service: 'bench.noop', input }
  const names = Array.from({ length: steps }, (_, n) => `step-${n}`)
  const chain = names.map((name, n) => {
    const needs = n === 0 ? {} : { needs: [`step-${n - 1}`] }
    return [name, { service: 'bench.noop', input: { $from: '/input' }, ...needs }] as const
  })
  return { steps: Object.fromEntries(chain), input }
}

function fanOut(items: number): object {
  return {
    service: 'bench.noop',
    forEach: { range: items },
    concurrency: FAN_OUT_CONCURRENCY,
    input: { n: { $from: '/item' } },
    collect: 'count',
  }
}
