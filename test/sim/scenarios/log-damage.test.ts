import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SYSTEM_ARC } from '@gyre/core/internal/base/ids.js'
import type { DurableImage } from '../disk.js'
import { entriesOf, hardState, LogBench } from './log-fixture.js'

const BLOCK_BYTES = 4096
const FIRST = 'log/segment-0000000001'

test('damage: any flipped bit in the middle of the log is harmless or reported, never skipped', () => {
  const intact = threeBatches()
  const kinds = new Set<string>()
  for (let offset = BLOCK_BYTES; offset < 2 * BLOCK_BYTES; offset += 1) {
    const bench = openChanged(intact, (files) => {
      files.flipBit('log/segment-0000000001', offset, offset % 8)
    })
    const { damaged } = bench.log.recovered
    kinds.add(damaged.map((damage) => `${damage.reason} ${damage.arcs}`).join('; '))
    const isSpoiled = (arc: number): boolean =>
      damaged.some((damage) => damage.arcs === 'all' || damage.arcs.includes(arc))
    if (!isSpoiled(1)) assert.deepEqual(bench.payloads(1), ['1a', '1b', '1c'])
    if (!isSpoiled(2)) assert.deepEqual(bench.payloads(2), ['2a', '2b'])
  }
  assert.deepEqual([...kinds].sort(), [
    '',
    'damage-in-the-middle 1',
    'damage-in-the-middle 2',
    'damage-in-the-middle all',
  ])
})

test('damage: an altered stamp in a batch that is whole is told at each start, and nothing is lost', () => {
  for (const offset of [0, 1, 2, 3, 512, BLOCK_BYTES, 2 * BLOCK_BYTES + 3]) {
    const bench = openChanged(threeBatches(), (files) => files.flipBit(FIRST, offset, 6))
    for (let life = 0; life < 2; life += 1) {
      const { damaged, harmlessRot } = bench.log.recovered
      assert.deepEqual(damaged, [])
      assert.equal(harmlessRot.length, 1, `offset ${offset}`)
      const sector = offset - (offset % 512)
      assert.match(harmlessRot[0] ?? '', new RegExp(`segment-0000000001, offset ${sector}: `))
      assert.deepEqual(bench.payloads(1), ['1a', '1b', '1c'])
      assert.ok(bench.append([hardState(1, 9)]))
      bench.kill()
      bench.open()
    }
  }
})

test("damage: the registry's entries are called so, not by the number of its arc", () => {
  const bench = new LogBench()
  bench.open('create')
  bench.append([entriesOf(SYSTEM_ARC, 1, ['a declaration']), entriesOf(1, 1, ['1a'])])
  bench.append([entriesOf(1, 2, ['1b'])])
  bench.kill()
  bench.files.flipBit(FIRST, 4 + 64 + 2 * 48 + 12 + 3)
  bench.open()
  const [damage] = bench.log.recovered.damaged
  assert.deepEqual(damage?.arcs, [SYSTEM_ARC])
  assert.match(damage?.message ?? '', /; the registry's own arc may lack entries/)
})

test('damage: a log with a missing middle segment names it', () => {
  const bench = openChanged(fourSegments(), (files) => files.remove('log/segment-0000000002'))
  const [damage] = bench.log.recovered.damaged
  assert.deepEqual([damage?.arcs, damage?.segment], ['all', 'segment-0000000002'])
})

test('damage: a log whose first segment is missing does not pass for a compacted one', () => {
  const bench = openChanged(fourSegments(), (files) => files.remove('log/segment-0000000001'))
  const [damage] = bench.log.recovered.damaged
  assert.deepEqual([damage?.arcs, damage?.segment], ['all', 'segment-0000000001'])
})

test('damage: a log of which only the empty spare is left does not pass for a new one', () => {
  const bench = openChanged(fourSegments(), (files) => {
    for (const name of files.list('log').slice(0, -1)) files.remove(`log/${name}`)
  })
  assert.equal(bench.log.recovered.damaged[0]?.arcs, 'all')
})

test('damage: a middle segment full of zeroes is reported', () => {
  const bench = openChanged(fourSegments(), (files) => {
    files.writeDurably('log/segment-0000000002', new Uint8Array(64 * 1024))
  })
  assert.equal(bench.log.recovered.damaged[0]?.arcs, 'all')
})

test('damage: rot in the unused rest of a segment harms nothing', () => {
  const bench = openChanged(threeBatches(), (files) => {
    files.flipBit('log/segment-0000000001', 60_000)
    files.flipBit('log/segment-0000000002', 5_000)
  })
  assert.deepEqual(bench.log.recovered.damaged, [])
  assert.deepEqual(bench.payloads(1), ['1a', '1b', '1c'])
  assert.ok(bench.append([hardState(1, 9)]))
})

test('damage: starts change not one byte of a damaged log, however often they are tried', () => {
  const spoil: readonly ((files: LogBench['files']) => void)[] = [
    (files) => files.flipBit(FIRST, 4 + 64 + 48 + 12 + 30),
    (files) => files.flipBit('log/segment-0000000004', 32_768 + 4 + 64 + 48 + 12 + 30),
    (files) => files.remove('log/segment-0000000002'),
    (files) => files.writeDurably('log/segment-0000000003', new Uint8Array(64 * 1024)),
  ]
  for (const damage of spoil) {
    const bench = openChanged(fourSegments(), (files) => {
      // What an intact log would be rid of: it is left for the operator too.
      files.writeDurably('log/spare.part', new Uint8Array(4096))
      damage(files)
    })
    bench.settle(60_000)
    const found = bench.log.recovered.damaged
    assert.notEqual(found.length, 0)
    const before = bench.files.durableImage()
    for (let life = 0; life < 5; life += 1) {
      bench.kill()
      const { effectCount } = bench.files
      bench.open()
      bench.settle(60_000)
      assert.equal(bench.files.effectCount, effectCount, 'a start has no effect on the disk')
      assert.deepEqual(bench.log.recovered.damaged, found)
    }
    assert.deepEqual(bench.files.durableImage(), before)
    assert.ok(bench.files.exists('log/spare.part'))
  }
})

test('damage: to append to a damaged log is a bug of the caller', () => {
  const bench = openChanged(threeBatches(), (files) => files.flipBit(FIRST, BLOCK_BYTES + 176))
  assert.notEqual(bench.log.recovered.damaged.length, 0)
  assert.throws(() => bench.append([hardState(1, 9)]), { name: 'AssertionError' })
  assert.equal(bench.log.canAppend(1), false)
})

test('damage: a bit that flips while the node runs fails the read, and alters nothing', () => {
  const bench = new LogBench()
  bench.open('create')
  bench.append([entriesOf(1, 1, ['a payload'])])
  bench.files.flipBit('log/segment-0000000001', 4 + 64 + 48 + 12 + 3)
  assert.throws(() => bench.log.read(1, 1, 1), { code: 'log_unreadable' })
})

test('an empty folder is not taken for a log, nor a log for an empty folder', () => {
  const bench = new LogBench()
  assert.throws(() => bench.open('open'), { code: 'log_missing' })
  bench.open('create')
  bench.kill()
  bench.open('create')
  bench.append([hardState(0, 1)])
  bench.kill()
  const another = new LogBench()
  another.files.restore(bench.files.durableImage())
  assert.throws(() => another.open('create'), { code: 'log_not_empty' })
})

function threeBatches(): DurableImage {
  const bench = new LogBench()
  bench.open('create')
  bench.append([entriesOf(1, 1, ['1a']), entriesOf(2, 1, ['2a'])])
  bench.append([entriesOf(1, 2, ['1b']), entriesOf(2, 2, ['2b'])])
  bench.append([entriesOf(1, 3, ['1c'])])
  bench.settle()
  return bench.files.durableImage()
}

function fourSegments(): DurableImage {
  const bench = new LogBench({ retainBytes: 64 * 1024 * 1024 })
  bench.open('create')
  for (let index = 1; index <= 8; index += 1) {
    bench.append([entriesOf(1, index, ['x'.repeat(25_000)])])
  }
  bench.settle()
  assert.equal(bench.log.stats.segments, 5)
  return bench.files.durableImage()
}

function openChanged(image: DurableImage, change: (files: LogBench['files']) => void): LogBench {
  const bench = new LogBench()
  bench.files.restore(image)
  change(bench.files)
  bench.open()
  return bench
}
