import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineArcStart } from './engine-types.js'
import { BATCH_COMMANDS_MAX } from './limits.js'
import { Bench, JOB, OFFERS, running, served } from './testing/engine-bench.js'
import { ready } from './testing/ready.js'

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
  assert.deepEqual(bench.engine.outputs.takeKeep(), [0], 'its log is needed from now on')
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
  const alarm = bench.api().find((message) => message.kind === 'alarm')
  assert.equal(alarm?.code, 'arc_damaged')
  assert.match(
    alarm.message,
    /rotted.*no longer reaches back to entries 1 to 2.*restore the data folder/,
  )
  for (let round = 0; round < 4; round += 1) {
    bench.sync()
    bench.apply()
  }
  assert.equal(bench.engine.status.serving, true)
  bench.api()
  bench.propose(1)
  bench.engine.onApi({ kind: 'query', request: 2, arc: 0, body: '{}' })
  const told = bench.api().map((m) => (m.kind === 'reply' && !m.reply.ok ? m.reply : null))
  assert.deepEqual(
    told.map((reply) => reply?.code),
    ['arc_unavailable', 'arc_unavailable'],
  )
  assert.equal(told[1]?.message, told[0]?.message, 'reads say the same of what can be done')
})

test('a damaged arc that has applied more than the log holds stops the node: more is wrong than its rows', () => {
  const bench = new Bench(logOf(1))
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [], damaged: [[0, FOUND, 12]] })
  assert.deepEqual(codes(bench), ['log_lost'])
})

test('an arc that has stopped already and is found to be damaged counts once: reads and the end go on', () => {
  const bench = new Bench(logOf(1))
  bench.pass(0)
  bench.engine.onServices(OFFERS)
  bench.engine.onLedger({ kind: 'loaded', applied: [] })
  bench.sync()
  bench.sync()
  const stop = { kind: 'stopped-arc', arc: 0, index: 1 } as const
  bench.engine.onLedger({ ...stop, code: 'apply_stopped', message: 'entry 1 is not known' })
  bench.engine.onLedger({ ...stop, code: 'arc_unavailable', message: FOUND })
  for (let round = 0; round < 4; round += 1) {
    bench.sync()
    bench.apply()
  }
  assert.deepEqual(bench.engine.status.stopped, [[0, 'arc_unavailable']])
  bench.engine.onApi({ kind: 'query', request: 1, arc: 1, body: '{}' })
  bench.engine.onApi({ kind: 'stop' })
  const asked = bench.engine.outputs.takeLedger().map(({ kind }) => kind)
  assert.deepEqual(asked, ['query', 'close'])
  assert.deepEqual(codes(bench).slice(0, 3), ['offers', 'apply_stopped', 'arc_damaged'])
})

const STOP = {
  kind: 'stopped-arc',
  arc: 0,
  index: 2,
  code: 'arc_unavailable',
  message: FOUND,
} as const
const ATTEMPT = `${JOB}.1.main.-.r.1`
const SUCCESS = {
  kind: 'ended',
  attempt: ATTEMPT,
  body: '{"kind":"succeeded","output":1}',
} as const

test('what an attempt of a damaged arc has done stands in the log, so that a rebuild does not do it again', () => {
  for (const isFirst of [true, false]) {
    const bench = running(ATTEMPT, ['sleep'])
    if (isFirst) bench.engine.onServices(SUCCESS)
    bench.engine.onLedger(STOP)
    if (!isFirst) bench.engine.onServices({ kind: 'noted', attempt: ATTEMPT, logs: '["a"]' })
    if (!isFirst) bench.engine.onServices(SUCCESS)
    bench.sync()
    const [finish, ...more] = bench.takeWritten()
    assert.deepEqual([finish?.c.kind, finish?.g, more], ['finish-attempt', undefined, []])
    assert.deepEqual(finish?.c.logs, isFirst ? undefined : ['a'])
    bench.engine.onApi({ kind: 'stop' })
    assert.ok(bench.engine.outputs.takeLedger().some(({ kind }) => kind === 'close'))
  }
})

test('slots that were on their way to an arc that stops are free for the others', () => {
  const bench = served()
  for (let n = 1; n <= BATCH_COMMANDS_MAX; n += 1) bench.propose(n, { arc: 1, sheddable: false })
  bench.engine.onLedger({ kind: 'demand', arc: 0, ready: ready({ echo: 2 }) })
  bench.sync()
  assert.equal(bench.engine.status.services['echo']?.free, 0)
  bench.engine.onLedger(STOP)
  assert.equal(bench.engine.status.services['echo']?.free, 2)
})
