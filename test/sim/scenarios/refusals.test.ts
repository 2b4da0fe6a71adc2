import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countLines, runScenario } from './run-scenario.js'

test('refused services: whoever waits is told, over deaths and power cuts, and goes on in the end', () => {
  for (const seed of [1, 2]) {
    const faults = [
      { at: 500, kind: 'kill', ms: 50, count: 0, seed: 1 },
      { at: 1_000, kind: 'power-cut', ms: 50, count: 0, seed: 2 },
    ] as const
    const scenario = runScenario({ seed, faults, vary: { refusals: true, faultKinds: [] } })
    const looks = countLines(scenario, '"kind":"looked"')
    assert.equal(looks, 4)
    assert.ok(countLines(scenario, '"kind":"looked"', '"type":"service_refused"') > 0)
  }
})
