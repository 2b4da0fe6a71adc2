import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEntry } from '@gyre/core/internal/ports/log-store.js'
import type { SimFiles } from '../disk.js'
import { entriesOf, hardState, LogBench } from './log-fixture.js'

/** Closed segments that a start finds rotten, and what the log does when it may go on without them. */

const BLOCK_BYTES = 4096
const SEGMENT_BLOCKS = 16
const BIG = 'x'.repeat(25_000)
/** Of the log that these tests are made with. */
const CLOSED = 3
/** An arc that writes a little now and then, and one that has most of the log. */
const [IDLE, BUSY] = [1, 0]

test('cold rot: wherever a closed segment rots, what is left behind it is whole, and its price is told', () => {
  const { files } = grownLog()
  const image = files.durableImage()
  const found = { spared: 0, harmless: 0 }
  for (const { segment, offset } of places(files)) {
    const bench = new LogBench(OPTIONS)
    bench.files.restore(image)
    bench.files.flipBit(pathOf(segment), offset, offset % 8)
    bench.open()
    const what = `segment ${segment}, offset ${offset}`
    if (bench.log.recovered.damaged.length === 0) {
      found.harmless += 1
      continue
    }
    found.spared += 1
    const cost = bench.damage?.price.cost
    assert.deepEqual(cost, new Map(COSTS[segment]), what)
    assert.ok(bench.giveUp(), what)
    bench.settle()
    assertWithout(bench, segment, what)
    bench.crash(offset)
    bench.open()
    bench.settle()
    assertWithout(bench, segment, what)
    assert.ok(bench.append([hardState(9, 9)]), what)
  }
  assert.ok(found.spared > 100 && found.harmless > 20, JSON.stringify(found))
})

test('cold rot: until it is told to, a start changes not one byte, and then finds the same again', () => {
  for (const [number, harm] of HARMS.entries()) {
    const { bench, files } = grownLog()
    harm(files)
    const before = files.durableImage()
    for (let life = 0; life < 3; life += 1) {
      bench.kill()
      bench.open()
      bench.settle()
      assert.deepEqual(bench.damage?.price.cost, new Map(COSTS[2]))
      // But for the broken body nobody knows whose rows are lost: no arc may pass for one that is whole.
      const whole = number === 0 ? [[IDLE, 1]] : []
      assert.deepEqual([...(bench.damage?.price.whole ?? [])], whole, `harm ${number}`)
    }
    assert.deepEqual(files.durableImage(), before)
  }
})

test('cold rot: an arc that is not hit can be kept, also what it has in the damaged segment', () => {
  const { bench, files } = grownLog()
  // A body of the busy arc: rows of the other are known to be whole.
  files.flipBit(pathOf(2), 2 * BLOCK_BYTES + 700)
  bench.kill()
  bench.open()
  assert.deepEqual(bench.damage?.price.whole, new Map([[IDLE, 1]]))
  const before = bench.log.read(IDLE, 1, 5)
  assert.ok(bench.giveUp(new Map([[IDLE, 1]])))
  bench.settle()
  for (let life = 0; life < 2; life += 1) {
    assert.deepEqual(bench.entries(IDLE), before)
    assert.equal(bench.log.recovered.arcs.get(BUSY)?.firstIndex, costOf(2, BUSY) + 1)
    assert.deepEqual(bench.log.recovered.damaged, [])
    assert.deepEqual([files.exists(pathOf(1)), files.exists(asideOf(2))], [false, true])
    bench.crash()
    bench.open()
  }
})

test('cold rot: more than one batch takes is copied in several, and none of it is freed before the last', () => {
  const bench = new LogBench({ retainBytes: 16 * 1024 * 1024 })
  bench.open('create')
  for (let index = 1; index <= 12; index += 1)
    assert.ok(bench.append([entriesOf(BUSY, index, [`${index} ${BIG}`])]))
  assert.ok(bench.append([entriesOf(IDLE, 1, ['hit'])]))
  for (let index = 13; index <= 16; index += 1)
    assert.ok(bench.append([entriesOf(BUSY, index, [`${index} ${BIG}`])]))
  bench.settle()
  flipText(bench.files, 'hit')
  bench.kill()
  bench.open()
  const before = bench.log.read(BUSY, 1, 16)
  assert.deepEqual([...(bench.damage?.price.whole ?? [])], [[BUSY, 1]])
  const image = bench.files.durableImage()
  for (let effect = 1; ; effect += 1) {
    bench.files.restore(image)
    bench.open()
    bench.files.cutPowerAtEffect(effect)
    const isOver = bench.giveUp(new Map([[BUSY, 3]])) && survives(() => bench.settle(20), bench)
    bench.crash(effect)
    bench.open()
    if (bench.damage !== null) {
      assert.ok((bench.damage.price.whole.get(BUSY) ?? 99) <= 3, `effect ${effect}`)
      assert.ok(bench.giveUp(new Map([[BUSY, 3]])))
    }
    assert.deepEqual(bench.log.recovered.damaged, [], `effect ${effect}`)
    assert.deepEqual(bench.log.read(BUSY, 3, 16), before.slice(2), `effect ${effect}`)
    assert.deepEqual(bench.log.recovered.arcs.get(IDLE)?.firstIndex, 2)
    if (isOver) break
  }
})

test('cold rot: power loss at every effect of giving up: the same is found again, or nothing is missing', () => {
  const ends = new Set<string>()
  for (const [number, harm] of HARMS.entries()) {
    for (let effect = 1; ; effect += 1) {
      const { bench, files } = grownLog(effect)
      harm(files)
      bench.kill()
      bench.open()
      files.cutPowerAtEffect(effect)
      const isOver = bench.giveUp() && survives(() => bench.settle(20), bench)
      bench.crash(effect)
      const isThere = files.exists(pathOf(1))
      bench.open()
      const what = `harm ${number}, effect ${effect}`
      const isFound = bench.damage !== null
      if (isFound) {
        assert.deepEqual(bench.damage?.price.cost, new Map(COSTS[2]), what)
        assert.ok(bench.giveUp(), what)
      }
      bench.settle()
      assertWithout(bench, 2, what)
      assert.ok(bench.append([hardState(9, 9)]), what)
      bench.settle()
      assert.deepEqual([files.exists(pathOf(2)), bench.failures], [false, []], what)
      ends.add(isFound ? 'found again' : isThere ? 'left over' : 'gone')
      if (isOver) break
    }
  }
  assert.deepEqual([...ends].sort(), ['found again', 'gone', 'left over'])
})

test('cold rot: of two damaged segments the newer one counts, and both are set aside', () => {
  const { bench, files } = grownLog()
  for (const segment of [1, 3]) files.flipBit(pathOf(segment), 20)
  bench.kill()
  bench.open()
  assert.deepEqual(bench.damage?.price.cost, new Map(COSTS[3]))
  assert.ok(bench.giveUp())
  bench.settle()
  assertWithout(bench, 3, 'two')
  assert.deepEqual(
    [1, 2, 3].map((segment) => files.exists(asideOf(segment))),
    [true, false, true],
  )
  assert.equal(bench.log.stats.rotGivenUp, 2)
})

test('cold rot: what was copied forward from before the damage does not hide what is missing after it', () => {
  const bench = new LogBench({ retainBytes: 64 * 1024 })
  const { files } = bench
  bench.open('create')
  bench.append([entriesOf(IDLE, 1, ['copied'])])
  for (const index of [1, 2]) bench.append([entriesOf(BUSY, index, [BIG])])
  bench.append([entriesOf(BUSY, 3, [BIG]), entriesOf(IDLE, 2, ['missing'])])
  for (const index of [4, 5, 6]) bench.append([entriesOf(BUSY, index, [BIG])])
  bench.settle()
  bench.log.compact(BUSY, 2)
  for (const term of [1, 2, 3]) assert.ok(bench.append([hardState(9, term)]))
  bench.settle()
  assert.equal(files.exists(pathOf(1)), false, 'its one entry that is needed was copied')
  files.flipBit(pathOf(2), 20)
  bench.kill()
  bench.open()
  assert.equal(bench.damage?.price.cost.get(IDLE), 2)
})

test('cold rot: a torn tail is cut as ever, but only when the damage is given up', () => {
  const { bench, files } = grownLog()
  bench.files.cutPowerAtSync()
  bench.append([entriesOf(BUSY, LAST + 1, ['torn'.repeat(4_000)])])
  bench.crash(5)
  files.flipBit(pathOf(1), 20)
  bench.open()
  const [image, torn] = [files.durableImage(), bench.log.recovered.tornTailCut]
  bench.settle()
  assert.deepEqual([torn, files.durableImage()], [true, image])
  assert.ok(bench.giveUp())
  bench.settle()
  assertWithout(bench, 1, 'torn')
  assert.equal(bench.log.recovered.tornTailCut, true)
})

test('cold rot: a segment whose begin is rotten vouches for nothing: the one behind it must', () => {
  const { bench, files } = grownLog()
  files.flipBit(pathOf(2), 20)
  files.flipBit(pathOf(2), BLOCK_BYTES - 3)
  files.writeDurably(pathOf(1), zeroedFrom(files, pathOf(1), 7))
  bench.kill()
  bench.open()
  assert.deepEqual(bench.damage?.price.cost, new Map(COSTS[2]))
})

test('cold rot: what the newest segment lacks is never spared, nor what no place explains', () => {
  const harms: readonly ((files: SimFiles) => void)[] = [
    // Its first batch, which alone tells what stood before; with rot in the one before, too.
    (files) => files.flipBit(pathOf(4), 20),
    (files) => [3, 4].forEach((segment) => files.flipBit(pathOf(segment), 20)),
    // A body of it, which rots with all its stamps there.
    (files) => flipText(files, 'last'),
    (files) => files.remove(pathOf(4)),
    // All that is left is the spare.
    (files) => [1, 2, 3, 4].forEach((segment) => files.remove(pathOf(segment))),
  ]
  for (const [number, harm] of harms.entries()) {
    const { bench, files } = grownLog()
    harm(files)
    bench.kill()
    bench.open()
    assert.notEqual(bench.log.recovered.damaged.length, 0, `harm ${number}`)
    assert.equal(bench.damage, null, `harm ${number}`)
  }
})

test('cold rot: a closed segment that is gone is given up like a rotten one', () => {
  const { bench, files } = grownLog()
  files.remove(pathOf(2))
  bench.kill()
  bench.open()
  assert.deepEqual(bench.damage?.price.cost, new Map(COSTS[2]))
  assert.ok(bench.giveUp())
  bench.settle()
  assertWithout(bench, 2, 'gone', false)
})

test('cold rot: on a full disk the start waits until its batch has room, and frees nothing before', () => {
  const { bench, files } = grownLog()
  const used = Math.ceil(
    (files.read(pathOf(4)).findLastIndex((byte) => byte !== 0) + 1) / BLOCK_BYTES,
  )
  for (let block = used; block < SEGMENT_BLOCKS; block += 1)
    assert.ok(bench.append([hardState(9, block)]))
  bench.settle()
  files.flipBit(pathOf(1), 20)
  files.remove(pathOf(5))
  bench.kill()
  files.setFull(true)
  bench.open()
  bench.giveUp()
  bench.settle(100)
  assert.equal(files.exists(pathOf(1)), true)
  assert.match(bench.warnings.join(), /segment/)
  files.setFull(false)
  bench.settle(20_000)
  assert.deepEqual(bench.failures, [])
  assertWithout(bench, 1, 'full')
})

const OPTIONS = { retainBytes: 1024 * 1024 }
/** Index of the busy arc's last entry. */
const LAST = 8
/** Segment → arc → the newest entry that only it, or one before it, holds. */
const COSTS: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  1: [
    [IDLE, 1],
    [BUSY, 2],
  ],
  2: [
    [IDLE, 2],
    [BUSY, 4],
  ],
  3: [
    [IDLE, 3],
    [BUSY, 6],
  ],
}

function costOf(segment: number, arc: number): number {
  return new Map(COSTS[segment]).get(arc) ?? 0
}

interface Grown {
  readonly bench: LogBench
  readonly files: SimFiles
}

/** Two large entries in each of four segments, small ones of another arc between them. */
function grownLog(seed = 1): Grown {
  const bench = new LogBench({ ...OPTIONS, seed })
  bench.open('create')
  bench.append([hardState(BUSY, 1, 'me'), entriesOf(IDLE, 1, ['idle 1'])])
  for (let index = 1; index <= LAST; index += 1) {
    assert.ok(bench.append([entriesOf(BUSY, index, [BIG])]))
    if (index % 2 === 0) continue
    const small = (index + 1) / 2
    if (small > 1) assert.ok(bench.append([entriesOf(IDLE, small, [`idle ${small}`])]))
  }
  assert.ok(bench.append([entriesOf(IDLE, 5, ['last'])]))
  bench.settle()
  assert.ok(bench.files.exists(pathOf(CLOSED + 1)))
  return { bench, files: bench.files }
}

/** All that stands behind a segment is there, nothing before it, and the log is in order. */
function assertWithout(bench: LogBench, segment: number, what: string, isAside = true): void {
  const { arcs, damaged } = bench.log.recovered
  assert.deepEqual(damaged, [], what)
  for (const [arc, last] of [
    [BUSY, LAST],
    [IDLE, 5],
  ] as const) {
    const first = costOf(segment, arc) + 1
    const { firstIndex, lastIndex, term } = arcs.get(arc) ?? {}
    assert.deepEqual([firstIndex, lastIndex, term], [first, last, arc === BUSY ? 1 : 0], what)
    assert.deepEqual(textsOf(bench.log.read(arc, first, last)), textsFrom(arc, first), what)
  }
  assert.equal(arcs.get(BUSY)?.vote, 'me', what)
  for (let number = 1; number <= segment; number += 1)
    assert.equal(bench.files.exists(pathOf(number)), false, what)
  assert.equal(bench.files.exists(asideOf(segment)), isAside, what)
}

function textsOf(entries: readonly LogEntry[]): string[] {
  return entries.map(({ payload }) => payload)
}

function textsFrom(arc: number, first: number): string[] {
  const all =
    arc === BUSY
      ? Array.from({ length: LAST }, () => BIG)
      : ['idle 1', 'idle 2', 'idle 3', 'idle 4', 'last']
  return all.slice(first - 1)
}

/** A body, a head, the end of the segment, of which the next one's chain tells; most of it. */
const HARMS: readonly ((files: SimFiles) => void)[] = [
  (files) => files.flipBit(pathOf(2), 2 * BLOCK_BYTES + 700),
  (files) => files.flipBit(pathOf(2), 20),
  (files) => files.writeDurably(pathOf(2), zeroedFrom(files, pathOf(2), 7)),
  (files) => files.writeDurably(pathOf(2), zeroedFrom(files, pathOf(2), 1)),
]

function zeroedFrom(files: SimFiles, path: string, block: number): Uint8Array {
  const content = files.read(path)
  content.fill(0, block * BLOCK_BYTES)
  return content
}

function flipText(files: SimFiles, text: string): void {
  for (const name of files.list('log')) {
    const at = Buffer.from(files.read(`log/${name}`)).indexOf(text)
    if (at >= 0) return files.flipBit(`log/${name}`, at)
  }
  assert.fail(`the log does not hold ${text}`)
}

/** Heads, directories and begins of bodies, and some of the rest. */
function* places(
  files: SimFiles,
): Generator<{ readonly segment: number; readonly offset: number }> {
  for (let segment = 1; segment <= CLOSED; segment += 1) {
    const content = Buffer.from(files.read(pathOf(segment)))
    for (let offset = 0; offset < content.length; offset += 1) {
      const inBlock = offset % BLOCK_BYTES
      const isHead = content.readUInt32LE(offset - inBlock + 4) === 0x4c525947
      if ((isHead && inBlock < 300 && inBlock % 11 === 0) || offset % 1_009 === 0)
        yield { segment, offset }
    }
  }
}

function survives(run: () => void, bench: LogBench): boolean {
  run()
  return !bench.files.isOff
}

function pathOf(segment: number): string {
  return `log/segment-${String(segment).padStart(10, '0')}`
}

function asideOf(segment: number): string {
  return `${pathOf(segment)}.damaged`
}
