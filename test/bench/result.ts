import type { Run } from './workloads.js'

/** Of one run of one system. A member that the workload or the system does not have is absent. */
export interface Result {
  readonly rate: number
  readonly cpuPer1000: number
  readonly peakMiB: number
  readonly writtenEach: number
  readonly disturbance: number
  readonly syncsPerSecond?: number
  readonly p50?: number
  readonly p99?: number
  readonly startP50?: number
  readonly startP99?: number
  readonly enqueuedPerSecond?: number
  readonly drainedPerSecond?: number
  readonly waitingMiB?: number
}

export type Measure = keyof Result

/** What the members are, in the order of the table. */
export const MEASURES: Readonly<Record<Measure, string>> = {
  rate: 'operations per second',
  cpuPer1000: 'CPU s per 1,000, all processes',
  p50: 'ms p50, request or result',
  p99: 'ms p99, request or result',
  startP50: 'ms p50, start',
  startP99: 'ms p99, start',
  enqueuedPerSecond: 'submitted per second',
  drainedPerSecond: 'drained per second',
  waitingMiB: 'MiB more for all that wait',
  peakMiB: 'MiB peak, all processes',
  syncsPerSecond: 'syncs per second',
  writtenEach: 'bytes written per operation, answers included',
  disturbance: 'of the machine was busy elsewhere',
}

export interface Summary {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** @returns undefined where no run has the member */
export function summaryOf(results: readonly Result[], measure: Measure): Summary | undefined {
  const values = results.map((result) => result[measure]).filter((value) => value !== undefined)
  const sorted = values.toSorted((a, b) => a - b)
  const [lowest] = sorted
  const highest = sorted.at(-1)
  const median = sorted[Math.floor(sorted.length / 2)]
  if (lowest === undefined || highest === undefined || median === undefined) return undefined
  return { median, lowest, highest }
}

/** The percentiles of a run's requests, as far as it has any. */
export function latenciesOf({ latencies, starts }: Run): Partial<Result> {
  const requests =
    latencies.length === 0 ? {} : { p50: share(latencies, 0.5), p99: share(latencies, 0.99) }
  if (starts === undefined) return requests
  return { ...requests, startP50: share(starts, 0.5), startP99: share(starts, 0.99) }
}

function share(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
