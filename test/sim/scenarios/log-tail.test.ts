import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '@gyre/core/internal/ports/log-store.js'
import type { DurableImage } from '../disk.js'
import { entriesOf, hardState, LogBench } from './log-fixture.js'

const SEGMENT = 'log/segment-0000000001'
const BLOCK_BYTES = 4096

test('torn tail: a batch torn by a power cut in any way is there whole or cut, never damage', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const bench = benchWith([entriesOf(1, 1, ['acknowledged'])], seed)
    appendWithPowerCut(bench, [entriesOf(1, 2, ['torn'.repeat(2_000)]), hardState(2, 7)])
    bench.crash()
    bench.open()
    assert.deepEqual(bench.log.recovered.damaged, [], `seed ${seed}`)
    assert.deepEqual(bench.log.recovered.harmlessRot, [], `seed ${seed}`)
    const [first, second] = bench.payloads(1)
    assert.equal(first, 'acknowledged')
    assert.equal(
      second !== undefined,
      bench.log.recovered.arcs.has(2),
      `seed ${seed}: half a batch`,
    )
  }
})

test('torn tail: a directory of several blocks that is torn is cut too', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const bench = benchWith([hardState(0, 1)], seed)
    const states: LogRecord[] = []
    for (let arc = 0; arc < 300; arc += 1) states.push(hardState(arc, 2, 'somebody'))
    appendWithPowerCut(bench, states)
    bench.crash()
    bench.open()
    assert.deepEqual(bench.log.recovered.damaged, [], `seed ${seed}`)
    assert.ok([1, 300].includes(bench.log.recovered.arcs.size), `seed ${seed}: half a batch`)
  }
})

test('torn tail: a batch cut off a second time, while the cut is being made, is cut again', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const bench = benchWith([entriesOf(1, 1, ['acknowledged'])], seed)
    appendWithPowerCut(bench, [entriesOf(1, 2, ['torn'.repeat(2_000)])])
    bench.crash()
    bench.files.cutPowerAtEffect(1 + (seed % 4))
    bench.open()
    bench.crash()
    bench.open()
    assert.deepEqual(bench.log.recovered.damaged, [], `seed ${seed}`)
    assert.ok(bench.append([hardState(1, 9)]))
    bench.crash()
    bench.open()
    assert.equal(bench.payloads(1)[0], 'acknowledged')
    assert.equal(bench.log.recovered.arcs.get(1)?.term, 9)
  }
})

test('torn tail: the cut is reported once, and only then', () => {
  const bench = benchWith([hardState(0, 1)])
  bench.files.cutPowerAtEffect(2)
  bench.append([entriesOf(0, 1, ['lost'.repeat(7_000)])])
  const seed = [...Array(100).keys()].find((candidate) => tears(bench, candidate))
  assert.ok(seed !== undefined, 'some seed tears the batch')
  assert.equal(bench.open() && bench.log.recovered.tornTailCut, true)
  bench.crash()
  assert.equal(bench.open() && bench.log.recovered.tornTailCut, false)
})

test('rotten tail: any flipped bit of the last batch is harmless or reported, never lost', () => {
  const intact = imageOf([
    [entriesOf(1, 1, ['first']), entriesOf(2, 1, ['first'])],
    [entriesOf(1, 2, ['last of one']), entriesOf(2, 2, ['last of two']), hardState(3, 5, 'me')],
  ])
  const kinds = new Set<string>()
  for (let offset = BLOCK_BYTES; offset < 2 * BLOCK_BYTES; offset += 1) {
    const bench = openFlipped(intact, offset)
    const { damaged } = bench.log.recovered
    kinds.add(damaged.map((damage) => `${damage.reason} ${damage.arcs}`).join('; '))
    const spoiled = damaged.flatMap((damage) => (damage.arcs === 'all' ? [1, 2, 3] : damage.arcs))
    if (!spoiled.includes(1)) assert.deepEqual(bench.payloads(1), ['first', 'last of one'])
    if (!spoiled.includes(2)) assert.deepEqual(bench.payloads(2), ['first', 'last of two'])
    if (!spoiled.includes(3)) assert.equal(bench.log.recovered.arcs.get(3)?.vote, 'me')
    assert.equal(bench.log.recovered.tornTailCut, false, `offset ${offset}`)
  }
  const expected = ['', 'rotten-tail 1', 'rotten-tail 2', 'rotten-tail 3', 'rotten-tail all']
  assert.deepEqual([...kinds].sort(), expected)
})

test('rotten tail: it is not written over, and reported in the same way by later starts', () => {
  const intact = imageOf([[entriesOf(1, 1, ['kept'])], [entriesOf(1, 2, ['rotten'])]])
  for (const offset of [BLOCK_BYTES + 10, BLOCK_BYTES + 4 + 64 + 48 + 14]) {
    const bench = openFlipped(intact, offset)
    assert.equal(bench.log.recovered.damaged[0]?.reason, 'rotten-tail')
    const evidence = bench.files.read(SEGMENT)
    bench.settle()
    bench.crash()
    bench.open()
    assert.deepEqual(bench.files.read(SEGMENT), evidence)
    assert.deepEqual(
      bench.log.recovered.damaged.map((damage) => [damage.reason, damage.offset]),
      [['rotten-tail', BLOCK_BYTES]],
    )
  }
})

test('rotten tail: a payload that the log cannot vouch for is never handed out', () => {
  const intact = imageOf([[entriesOf(1, 1, ['kept'])], [entriesOf(1, 2, ['x'.repeat(50)])]])
  const bench = openFlipped(intact, BLOCK_BYTES + 4 + 64 + 48 + 12 + 20)
  assert.deepEqual(bench.log.recovered.damaged[0]?.arcs, [1])
  assert.equal(bench.log.read(1, 1, 1)[0]?.payload, 'kept')
  assert.throws(() => bench.log.read(1, 2, 2), { code: 'log_unreadable' })
})

function benchWith(records: readonly LogRecord[], seed = 1): LogBench {
  const bench = new LogBench({ seed })
  bench.open('create')
  assert.ok(bench.append(records))
  bench.settle()
  return bench
}

/** Write given to the disk, sync not done. */
function appendWithPowerCut(bench: LogBench, records: readonly LogRecord[]): void {
  bench.files.cutPowerAtEffect(2)
  assert.equal(bench.append(records), false)
}

/** Tries one way of losing the batch; the disk is as before when it was not torn. */
function tears(bench: LogBench, seed: number): boolean {
  bench.crash(seed)
  const content = bench.files.read(SEGMENT).subarray(BLOCK_BYTES)
  return content.some((byte) => byte !== 0)
}

function imageOf(batches: readonly (readonly LogRecord[])[]): DurableImage {
  const bench = new LogBench()
  bench.open('create')
  for (const records of batches) assert.ok(bench.append(records))
  bench.settle()
  return bench.files.durableImage()
}

function openFlipped(image: DurableImage, offset: number): LogBench {
  const bench = new LogBench()
  bench.files.restore(image)
  bench.files.flipBit(SEGMENT, offset, offset % 8)
  bench.open()
  return bench
}
