import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineArcStart } from './engine-types.js'
import { Bench, OFFERS, served } from './testing/engine-bench.js'

const FOUND = 'row 0000a has rotted'

/** What the log holds of arc 0. */
function logOf(firstIndex: number): ReadonlyMap<number, EngineArcStart> {
  const lastIndex = 9
  return new Map([[0, { term: 3, vote: 'me', firstIndex, lastIndex, lastTerm: 3, lastTime: 0 }]])
}

function codes(bench: Bench): string[] {
  return bench
    .api()
    .map((m) => (m.kind === 'reply' && !m.reply.ok ? m.reply.code : 'code' in m ? m.code : m.kind))
}

test('an arc whose rows have rotted is refused, what is in the log already is unknown, others go on', () => {
  const bench = served()
  bench.propose(1)
  bench.sync()
  bench.propose(2)
  const stop = { code: 'arc_unavailable', message: FOUND } as const
  bench.engine.onLedger({ kind: 'stopped-arc', arc: 0, index: 2, ...stop })
  bench.propose(3)
  assert.deepEqual(codes(bench), ['arc_damaged', 'arc_unavailable', 'arc_unavailable'])
  assert.deepEqual(bench.engine.status.stopped, [[0, 'arc_unavailable']])
  assert.equal(bench.engine.status.serving, true)
})

test('a damaged arc whose log is whole is rebuilt at the start, from its first entry on', () => {
  const bench = new Bench(logOf(1))
  bench.pass(0)
  bench.engine.onServices(OFFERS)
  bench.engine.onLedger({ kind: 'loaded', applied: [], damaged: [[0, FOUND, 5]] })
  bench.sync()
  bench.sync()
  const ofArc = bench.engine.outputs.takeLedger().filter((m) => 'arc' in m && m.arc === 0)
  assert.deepEqual(ofArc.slice(0, 2), [
    { kind: 'rebuild', arc: 0 },
    { kind: 'replay', arc: 0, from: 1, to: 9 },
  ])
  assert.deepEqual(codes(bench), ['offers'])
})

test('a damaged arc whose log has been cut stands still, is told at each start, and keeps no other from serving', () => {
  const bench = new Bench(logOf(3))
  bench.pass(0)
  bench.engine.onServices(OFFERS)
  bench.engine.onLedger({ kind: 'loaded', applied: [], damaged: [[0, FOUND, 5]] })
  const told = bench.api().find((message) => message.kind === 'alarm')
  assert.equal(told?.code, 'arc_damaged')
  assert.match(
    told.message,
    /rotted.*no longer reaches back to entries 1 to 2.*restore the data folder/,
  )
  for (let round = 0; round < 4; round += 1) {
    bench.sync()
    bench.apply()
  }
  assert.equal(bench.engine.status.serving, true)
  bench.api()
  bench.propose(1)
  assert.deepEqual(codes(bench), ['arc_unavailable'])
})

test('a damaged arc that has applied more than the log holds stops the node: more is wrong than its rows', () => {
  const bench = new Bench(logOf(1))
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [], damaged: [[0, FOUND, 12]] })
  assert.deepEqual(codes(bench), ['log_lost'])
})
