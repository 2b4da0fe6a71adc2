import assert from 'node:assert/strict'
import type { Observation } from '../observation.js'
import { type RunRequest, type RunResult, runSeed } from '../run.js'
import type { OperationWeights } from '../swarm.js'

/** Conditions under which a scenario is short and nothing but what it names goes wrong. */
const CALM: NonNullable<RunRequest['vary']> = {
  arcCount: 2,
  chaosMs: 1_500,
  clientCount: 2,
  thinkMs: 40,
  totalSlots: 4,
  linkDelay: { minMs: 0.02, maxMs: 0.2 },
  duplicateReports: 0,
  hurry: 0,
  bitRots: false,
}

/** Clients only submit, and look at what has become of it. */
export const JOBS_ONLY: OperationWeights = {
  submit: 10,
  batch: 0,
  cancel: 0,
  retry: 0,
  deleteJob: 0,
  skip: 0,
  fail: 0,
  resubmit: 0,
  bulk: 0,
  putRecord: 0,
  deleteRecord: 0,
  getRecord: 0,
  listRecords: 0,
  getJob: 2,
}

/** A run, and the lines of its trace. */
export interface Scenario {
  readonly result: RunResult
  readonly lines: readonly string[]
}

/** Runs a node under the given conditions and faults; every checker must be content. */
export function runScenario(request: RunRequest): Scenario {
  const lines: string[] = []
  const result = runSeed({
    ...request,
    vary: { ...CALM, ...request.vary },
    print: (line) => lines.push(line),
  })
  assert.equal(
    result.verdict,
    'passed',
    `seed ${request.seed}: ${result.verdict}: ${result.message}`,
  )
  return { result, lines }
}

/** How many lines of the trace hold all these texts. */
export function countLines({ lines }: Scenario, ...texts: readonly string[]): number {
  return lines.filter((line) => texts.every((text) => line.includes(text))).length
}

/** What the checkers were shown, with true time in milliseconds. */
export function storyOf({ lines }: Scenario): { at: number; seen: Observation }[] {
  return lines.flatMap((line) => {
    const [at = '', text = ''] = /^ *([\d.]+) (\{.*)$/.exec(line)?.slice(1) ?? []
    return text === '' ? [] : [{ at: Number(at), seen: JSON.parse(text) as Observation }]
  })
}
