import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '@gyre/core/internal/ports/log-store.js'
import { entriesOf, hardState, LogBench } from './log-fixture.js'
import { LogModel } from './log-model.js'

/** Fills three segments, gives up the first, and replaces a suffix on the way. */
const SCRIPT: readonly (readonly LogRecord[])[] = [
  [hardState(0, 1, 'me'), hardState(1, 1, 'me')],
  [entriesOf(0, 1, ['a'.repeat(20_000)]), entriesOf(1, 1, ['idle'])],
  [entriesOf(0, 2, ['b'.repeat(20_000)])],
  [entriesOf(0, 3, ['c'.repeat(25_000)]), hardState(1, 2)],
  [entriesOf(0, 3, ['C'.repeat(25_000)], 2)],
  [entriesOf(0, 4, ['d'.repeat(25_000)], 2)],
  [entriesOf(0, 5, ['e'.repeat(25_000)], 2)],
  [entriesOf(0, 6, ['f'])],
]
const COMPACTED_AFTER = 5
const COMPACTED_TO = 2

test('power loss at every effect of a script: all that was acknowledged is there, nothing half', () => {
  let cutCount = 0
  for (let effect = 1; ; effect += 1) {
    let isFinished = false
    for (let seed = 1; seed <= 4; seed += 1) {
      const bench = new LogBench({ seed, retainBytes: 64 * 1024 })
      bench.files.cutPowerAtEffect(effect)
      const { model, onItsWay } = runScript(bench)
      isFinished = !bench.files.isOff
      bench.crash()
      checkAfterCrash(bench, model, onItsWay, `effect ${effect}, seed ${seed}`)
    }
    if (isFinished) break
    cutCount = effect
  }
  assert.ok(cutCount > 40, `the script has ${cutCount} effects`)
})

test('power loss at every effect of a recovery from a torn tail: the same log comes back', () => {
  for (let effect = 1; effect <= 12; effect += 1) {
    for (let seed = 1; seed <= 20; seed += 1) {
      const bench = new LogBench({ seed, retainBytes: 64 * 1024 })
      bench.files.cutPowerAtEffect(30)
      const { model, onItsWay } = runScript(bench)
      bench.crash()
      bench.files.cutPowerAtEffect(effect)
      bench.open()
      bench.settle()
      bench.crash()
      checkAfterCrash(bench, model, onItsWay, `effect ${effect}, seed ${seed}`)
    }
  }
})

test('what a recovery found survives a power cut that follows it', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const bench = new LogBench({ seed })
    bench.open('create')
    bench.append([hardState(0, 1)])
    let isDone = false
    bench.log.append([entriesOf(0, 1, ['written, not synced'])], () => {
      isDone = true
    })
    while (!bench.files.read('log/segment-0000000001').subarray(4096).some(isSet)) {
      bench.time.step(Number.POSITIVE_INFINITY)
    }
    bench.kill()
    assert.equal(isDone, false)
    bench.open()
    assert.equal(bench.log.recovered.arcs.get(0)?.lastIndex, 1)
    bench.crash()
    bench.open()
    assert.equal(bench.log.recovered.arcs.get(0)?.lastIndex, 1, `seed ${seed}`)
  }
})

test('a sync that fails once is never retried, nothing is acknowledged, and the log is closed', () => {
  const bench = new LogBench()
  bench.open('create')
  bench.append([entriesOf(0, 1, ['acknowledged'])])
  bench.settle()
  bench.files.failNextSync()
  assert.equal(bench.append([entriesOf(0, 2, ['lost'])]), false)
  bench.time.step(Number.POSITIVE_INFINITY)
  assert.deepEqual(
    bench.failures.map((failure) => failure.code),
    ['EIO'],
  )
  assert.throws(() => bench.log.append([], () => {}), { name: 'AssertionError' })
  bench.crash()
  bench.failures.length = 0
  bench.open()
  assert.deepEqual(bench.payloads(0), ['acknowledged'])
  assert.deepEqual(bench.log.recovered.damaged, [])
})

test('what a failed sync left in memory only is durable before a later life acts upon it', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const bench = new LogBench({ seed })
    bench.open('create')
    bench.append([entriesOf(0, 1, ['acknowledged'])])
    bench.settle()
    bench.files.failNextSync()
    assert.equal(bench.append([entriesOf(0, 2, ['in memory'.repeat(seed * 100)])]), false)
    bench.kill()
    bench.failures.length = 0
    bench.open()
    assert.equal(bench.log.recovered.arcs.get(0)?.lastIndex, 2)
    bench.crash()
    bench.open()
    assert.equal(bench.payloads(0).length, 2, `seed ${seed}`)
    assert.ok(bench.append([entriesOf(0, 3, ['and on'])]))
    bench.crash()
    bench.open()
    assert.deepEqual([bench.payloads(0).length, bench.log.recovered.damaged], [3, []])
  }
})

test('a write that fails half-way ends the log and is cut at the next start', () => {
  const bench = new LogBench()
  bench.open('create')
  bench.append([entriesOf(0, 1, ['acknowledged'])])
  bench.settle()
  bench.files.failNextWrite()
  assert.equal(bench.append([entriesOf(0, 2, ['half'.repeat(4_000)])]), false)
  assert.equal(bench.failures.length, 1)
  bench.kill()
  bench.failures.length = 0
  bench.open()
  assert.deepEqual(bench.payloads(0), ['acknowledged'])
  assert.equal(bench.log.recovered.tornTailCut, true)
})

interface ScriptRun {
  /** All that was acknowledged. */
  readonly model: LogModel
  readonly onItsWay: readonly LogRecord[] | null
}

function runScript(bench: LogBench): ScriptRun {
  let model = new LogModel()
  if (!bench.open('create')) return { model, onItsWay: null }
  for (const [number, records] of SCRIPT.entries()) {
    if (number === COMPACTED_AFTER) {
      bench.log.compact(0, COMPACTED_TO)
      model.compact(0, COMPACTED_TO)
    }
    if (!bench.append(records)) return { model, onItsWay: records }
    model = model.with(records)
    bench.settle(20)
  }
  return { model, onItsWay: null }
}

function checkAfterCrash(
  bench: LogBench,
  model: LogModel,
  onItsWay: readonly LogRecord[] | null,
  what: string,
): void {
  const isMade = bench.files.list('log').some((name) => name.startsWith('segment-'))
  bench.open(isMade ? 'open' : 'create')
  assert.deepEqual(bench.failures, [], what)
  try {
    model.checkRecovered(bench.log)
  } catch (error) {
    if (onItsWay === null) throw new Error(`${what}: ${String(error)}`, { cause: error })
    model.with(onItsWay).checkRecovered(bench.log)
  }
  assert.ok(bench.append([hardState(7, 7)]), `${what}: the log goes on`)
}

function isSet(byte: number): boolean {
  return byte !== 0
}
