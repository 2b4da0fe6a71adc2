import assert from 'node:assert/strict'
import { type RunRequest, type RunResult, runSeed } from '../run.js'

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
