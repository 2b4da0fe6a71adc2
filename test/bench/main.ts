import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { MeasuredNode } from './measured-node.js'
import { type Run, WORKLOADS, type Workload } from './workloads.js'

/**
 * `npm run bench [-- --workload NAME …] [--size N] [--runs N] [--json]`: runs each workload against a
 * fresh node of its own process and prints the median and the spread of its runs.
 */
const { values } = parseArgs({
  options: {
    workload: { type: 'string', multiple: true },
    size: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})

interface Result {
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly cpuPer1000: number
  readonly peakMiB: number
  readonly syncsPerSecond: number
  readonly bytesPerOperation: number
}

const MEMBERS = [
  ['rate', 'per second'],
  ['p50', 'ms'],
  ['p99', 'ms'],
  ['cpuPer1000', 'CPU s per 1,000'],
  ['peakMiB', 'MiB peak'],
  ['syncsPerSecond', 'syncs/s'],
  ['bytesPerOperation', 'log bytes each'],
] as const

async function runOnce(workload: Workload, size: number): Promise<Result> {
  const node = await MeasuredNode.start()
  try {
    await workload.run(node.url, Math.min(size, 500))
    const before = node.usage
    const [syncs, bytes] = await node.logWork()
    const run = await workload.run(node.url, size)
    const [syncsAfter, bytesAfter] = await node.logWork()
    const { cpuSeconds, peakMiB } = node.usage
    return {
      rate: run.operations / run.seconds,
      p50: percentile(run, 0.5),
      p99: percentile(run, 0.99),
      cpuPer1000: ((cpuSeconds - before.cpuSeconds) / run.operations) * 1000,
      peakMiB,
      syncsPerSecond: (syncsAfter - syncs) / run.seconds,
      bytesPerOperation: (bytesAfter - bytes) / run.operations,
    }
  } finally {
    await node.stop()
  }
}

function percentile({ latencies }: Run, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
}

function print(workload: Workload, results: readonly Result[]): void {
  if (values.json) {
    console.log(JSON.stringify({ workload: workload.name, runs: results }))
    return
  }
  console.log(`\n${workload.name}: ${workload.what}`)
  for (const [member, unit] of MEMBERS) {
    const sorted = results.map((result) => result[member]).toSorted((a, b) => a - b)
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0
    const spread = `${shown(sorted[0] ?? 0)} … ${shown(sorted.at(-1) ?? 0)}`
    console.log(`  ${shown(median).padStart(10)} ${unit.padEnd(16)} [${spread}]`)
  }
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2)
}

const size = Number(values.size)
const runs = Number(values.runs)
const chosen = WORKLOADS.filter(({ name }) => values.workload?.includes(name) ?? true)
if (!(size >= 1 && runs >= 1) || chosen.length === 0) {
  const names = WORKLOADS.map(({ name }) => name).join(', ')
  console.error(`usage: npm run bench -- [--workload NAME]… [--size N] [--runs N]; names: ${names}`)
  process.exit(2)
}
if (!values.json) {
  const [cpu] = cpus()
  console.log(`${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, Node ${process.version}`)
  console.log(`${size} operations, median of ${runs} runs [lowest … highest]`)
}
for (const workload of chosen) {
  const results: Result[] = []
  for (let run = 0; run < runs; run += 1) results.push(await runOnce(workload, size))
  print(workload, results)
}
