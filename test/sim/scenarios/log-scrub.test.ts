import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogScan } from '@gyre/core/internal/adapters/log-store/log-scan.js'
import { LogScrubber } from '@gyre/core/internal/adapters/log-store/log-scrubber.js'
import type { LogRot } from '@gyre/core/internal/ports/log-store.js'
import type { SimFiles } from '../disk.js'
import { entriesOf, hardState, LogBench } from './log-fixture.js'

const SEGMENT_BYTES = 64 * 1024
const BLOCK_BYTES = 4096
const FIRST = 'log/segment-0000000001'
const SECOND = 'log/segment-0000000002'
const FIRST_ASIDE = 'log/segment-0000000001.damaged'
const BIG = 'x'.repeat(25_000)
/** Closed segments of the log that the comparisons are made with. */
const CLOSED = 3

test('the scrub finds rot exactly where a start would report damage', () => {
  const { files } = grownLog()
  assert.deepEqual([isRefused(files), rotIn(files).length], [false, 0])
  const found = { rot: 0, harmless: 0 }
  for (const { path, offset } of places(files)) {
    files.flipBit(path, offset, offset % 8)
    const [rot] = rotIn(files)
    assert.equal(rot !== undefined, isRefused(files), `${path}, offset ${offset}`)
    if (rot !== undefined) assert.ok(path.endsWith(String(rot.number)), `${path}: ${rot.message}`)
    found[rot === undefined ? 'harmless' : 'rot'] += 1
    files.flipBit(path, offset, offset % 8)
  }
  assert.ok(found.rot > 1000 && found.harmless > 100, JSON.stringify(found))
})

test('blocks that became zeroes are found exactly where a start would report damage', () => {
  const { files } = grownLog()
  const image = files.durableImage()
  for (let segment = 1; segment <= CLOSED; segment += 1) {
    for (let block = 0; block < SEGMENT_BYTES / BLOCK_BYTES; block += 1) {
      for (const blocks of [1, 3, SEGMENT_BYTES / BLOCK_BYTES]) {
        files.restore(image)
        const content = files.read(pathOf(segment))
        content.fill(0, block * BLOCK_BYTES, (block + blocks) * BLOCK_BYTES)
        files.writeDurably(pathOf(segment), content)
        const what = `segment ${segment}, blocks ${block} to ${block + blocks}`
        assert.equal(rotIn(files).length > 0, isRefused(files), what)
      }
    }
  }
})

test('a file that is gone, ends early or cannot be read is rot, and the others are looked at', () => {
  for (const harm of [
    (files: SimFiles) => files.remove(SECOND),
    (files: SimFiles) => files.writeDurably(SECOND, files.read(SECOND).slice(0, 3 * BLOCK_BYTES)),
    (files: SimFiles) => files.failReads((path) => path === SECOND),
  ]) {
    const { files } = grownLog()
    harm(files)
    files.flipBit(pathOf(3), 100)
    assert.deepEqual(
      rotIn(files).map(({ number }) => number),
      [2, 3],
    )
  }
})

test('a scrub without a free descriptor goes on later and calls nothing damaged', () => {
  const { bench, files } = grownLog()
  files.setOutOfDescriptors(true)
  for (let piece = 0; piece < 20; piece += 1) scrubPiece(bench)
  assert.deepEqual(bench.log.stats.rot, [])
  files.setOutOfDescriptors(false)
  files.flipBit(FIRST, 100)
  scrubPass(bench)
  assert.equal(bench.log.stats.rot.length, 1)
})

test('the segment that is written to is not looked at, and it is when it is closed', () => {
  const bench = new LogBench({ retainBytes: 1024 * 1024 })
  bench.open('create')
  bench.append([entriesOf(0, 1, [BIG])])
  bench.files.flipBit(FIRST, 100)
  scrubPass(bench)
  assert.equal(bench.log.stats.rot.length, 0)
  for (const index of [2, 3]) bench.append([entriesOf(0, index, [BIG])])
  scrubPass(bench)
  assert.deepEqual(
    bench.log.stats.rot.map(({ number }) => number),
    [1],
  )
})

test('a damaged segment that nothing needs is given up with the next batch and set aside', () => {
  const { bench, files } = grownLog()
  const before = Buffer.from(files.read(FIRST))
  files.flipBit(FIRST, 100)
  bench.log.compact(0, 7)
  bench.log.compact(1, 2)
  assert.equal(bench.log.stats.isReleasing, false, 'the log keeps it for its own sake')
  scrubPass(bench)
  assert.deepEqual([bench.log.stats.rot.length, bench.log.stats.isReleasing], [1, true])
  assert.ok(bench.append([]))
  bench.settle()
  assert.deepEqual([files.exists(FIRST), files.exists(FIRST_ASIDE)], [false, true])
  assert.equal(files.exists(SECOND), true, 'what is not damaged is kept')
  assert.deepEqual([bench.log.stats.rot, bench.log.stats.rotGivenUp], [[], 1])
  assert.match(bench.warnings[0] ?? '', /segment-0000000001 was given up.*nothing is lost/)
  files.flipBit(FIRST_ASIDE, 100)
  assert.deepEqual(Buffer.from(files.read(FIRST_ASIDE)), before)
  bench.crash()
  bench.open()
  assert.deepEqual(bench.log.recovered.damaged, [])
  assert.equal(bench.log.read(0, 8, 8)[0]?.payload, BIG)
})

test('a damaged segment that is needed stays as it is until it is not needed any more', () => {
  const { bench, files } = grownLog()
  bench.log.compact(0, 1)
  files.flipBit(FIRST, 3 * BLOCK_BYTES + 100)
  scrubPass(bench)
  for (let batch = 0; batch < 5; batch += 1) {
    assert.ok(bench.append([hardState(1, 2 + batch)]))
    bench.settle()
  }
  assert.deepEqual([bench.log.stats.rot.length, files.exists(FIRST)], [1, true])
  assert.equal(isRefused(files), true, 'a start still tells of it')
  bench.log.compact(0, 7)
  bench.log.compact(1, 2)
  for (let batch = 0; batch < 3; batch += 1) bench.append([])
  bench.settle()
  assert.deepEqual([bench.log.stats.rot, files.exists(FIRST)], [[], false])
})

test('what would have to be copied out of a damaged place is not, and the log goes on', () => {
  for (const harm of [
    (files: SimFiles) => files.flipBit(FIRST, 4 + 64 + 48 + 12 + 3),
    (files: SimFiles) => files.failReads((path) => path === FIRST),
  ]) {
    const bench = new LogBench({ retainBytes: 64 * 1024 })
    const { files } = bench
    bench.open('create')
    bench.append([entriesOf(9, 1, ['idle and needed'])])
    for (let index = 1; index <= 8; index += 1) bench.append([entriesOf(0, index, [BIG])])
    bench.settle()
    harm(files)
    bench.log.compact(0, 8)
    for (let index = 9; index <= 14; index += 1)
      assert.ok(bench.append([entriesOf(0, index, [BIG])]))
    assert.deepEqual([files.exists(FIRST), bench.log.stats.rot[0]?.number], [true, 1])
    bench.log.compact(9, 1)
    assert.ok(bench.append([]))
    bench.settle()
    assert.deepEqual([files.exists(FIRST), bench.log.stats.rot], [false, []])
  }
})

test('on a full disk a damaged segment is removed, and only so many are ever kept', () => {
  const bench = new LogBench({ retainBytes: 16 * 1024 * 1024 })
  bench.open('create')
  for (let index = 1; index <= 16; index += 1) bench.append([entriesOf(0, index, [BIG])])
  bench.settle()
  bench.log.compact(0, 16)
  for (let segment = 1; segment <= 6; segment += 1) {
    bench.files.flipBit(pathOf(segment), 100)
    scrubPass(bench)
    bench.append([])
    bench.settle()
  }
  const aside = (): string[] => bench.files.list('log').filter((name) => name.endsWith('.damaged'))
  assert.deepEqual(
    aside().map((name) => name.slice(0, -8)),
    [3, 4, 5, 6].map((number) => pathOf(number).slice(4)),
  )
  bench.files.setFull(true)
  for (let index = 17; bench.log.stats.shortage === null; index += 1) {
    bench.append([entriesOf(0, index, [BIG])])
    bench.settle()
  }
  bench.files.flipBit(pathOf(7), 100)
  scrubPass(bench)
  bench.append([])
  bench.settle()
  assert.equal(bench.files.exists(pathOf(7)), false)
  assert.equal(aside().at(-1), `${pathOf(6).slice(4)}.damaged`)
})

test('a damaged segment that was given up and is still there breaks no chain at the next start', () => {
  for (const harm of HARMS) {
    const { bench, files } = grownLog()
    harm(files)
    scrubPass(bench)
    bench.log.compact(0, 7)
    bench.log.compact(1, 2)
    files.setOutOfDescriptors(true)
    for (let batch = 0; batch < 2; batch += 1) bench.append([])
    bench.kill()
    assert.equal(files.exists(FIRST), true, 'nothing can be removed')
    files.setOutOfDescriptors(false)
    bench.open()
    assert.deepEqual(bench.log.recovered.damaged, [])
    bench.settle()
    assert.deepEqual([files.exists(FIRST), files.exists(SECOND)], [false, true])
  }
})

test('power loss at every effect of giving a segment up: it is told, or it is gone and nothing is lost', () => {
  const ends = new Set<string>()
  for (const harm of HARMS) {
    for (let effect = 1; ; effect += 1) {
      const { bench, files } = grownLog(effect)
      harm(files)
      scrubPass(bench)
      assert.equal(bench.log.stats.rot.length, 1)
      bench.log.compact(0, 7)
      bench.log.compact(1, 2)
      files.cutPowerAtEffect(effect)
      for (let batch = 0; batch < 2 && !files.isOff; batch += 1) {
        bench.append([entriesOf(1, 3 + batch, ['after'])])
        bench.settle(20)
      }
      const isOver = !files.isOff
      bench.crash()
      const isThere = files.exists(FIRST)
      bench.open()
      const { damaged } = bench.log.recovered
      if (damaged.length > 0) assert.ok(isThere, `effect ${effect}: ${damaged[0]?.message}`)
      if (damaged.length === 0) {
        assert.equal(bench.log.read(0, 8, 8)[0]?.payload, BIG)
        assert.ok(bench.append([hardState(7, 7)]))
        bench.settle()
        assert.deepEqual([files.exists(FIRST), bench.failures], [false, []], `effect ${effect}`)
      }
      ends.add(damaged.length > 0 ? 'told' : isThere ? 'left over' : 'gone')
      if (isOver) break
    }
  }
  assert.deepEqual([...ends].sort(), ['gone', 'left over', 'told'])
})

/** A body; a head; the end of the segment, of which the next one's chain tells; most of it. */
const HARMS: readonly ((files: SimFiles) => void)[] = [
  (files) => files.flipBit(FIRST, 2 * BLOCK_BYTES + 700),
  (files) => files.flipBit(FIRST, 20),
  (files) => {
    const content = files.read(FIRST)
    content.fill(0, 7 * BLOCK_BYTES)
    files.writeDurably(FIRST, content)
  },
  (files) => {
    const content = files.read(FIRST)
    content.fill(0, BLOCK_BYTES)
    files.writeDurably(FIRST, content)
  },
]

interface Grown {
  readonly bench: LogBench
  readonly files: SimFiles
}

/** Three closed segments and one more, with restarts, a torn tail and small batches on the way. */
function grownLog(seed = 1): Grown {
  const bench = new LogBench({ seed, retainBytes: 1024 * 1024 })
  const { files } = bench
  bench.open('create')
  bench.append([hardState(0, 1, 'me'), entriesOf(1, 1, ['idle'])])
  bench.append([entriesOf(0, 1, ['a', 'b']), entriesOf(1, 2, ['c'])])
  for (const index of [3, 4]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  bench.settle()
  bench.kill()
  bench.open()
  assert.ok(bench.append([entriesOf(0, 5, ['y'.repeat(12_000)])]))
  bench.files.cutPowerAtSync()
  bench.append([entriesOf(0, 6, ['torn'.repeat(2_000)])])
  bench.crash(seed)
  bench.open()
  const next = (bench.log.recovered.arcs.get(0)?.lastIndex ?? 0) + 1
  for (let index = next; index <= 8; index += 1)
    assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  bench.settle()
  assert.ok(files.exists(pathOf(CLOSED + 1)))
  return { bench, files }
}

/** Every byte of what a start goes by, and some of the rest. */
function* places(files: SimFiles): Generator<{ readonly path: string; readonly offset: number }> {
  for (let segment = 1; segment <= CLOSED; segment += 1) {
    const path = pathOf(segment)
    const content = Buffer.from(files.read(path))
    for (let offset = 0; offset < content.length; offset += 1) {
      const block = offset - (offset % BLOCK_BYTES)
      const isHead = content.readUInt32LE(block + 4) === 0x4c525947 && offset < block + 300
      if (isHead || offset % 131 === 0) yield { path, offset }
    }
  }
}

function isRefused(files: SimFiles): boolean {
  return new LogScan(files, 'log').run().damaged.length > 0
}

/** One pass of a scrub of its own over the closed segments. */
function rotIn(files: SimFiles): LogRot[] {
  const scrubber = new LogScrubber({
    files: atOnce(files),
    closed: () => ({ from: 1, to: CLOSED + 1 }),
    path: pathOf,
    bytesOf: () => SEGMENT_BYTES,
    isKnown: () => false,
  })
  const found: LogRot[] = []
  for (let isOver = false; !isOver; ) {
    scrubber.next((verify) => {
      const { rot, isPassOver } = verify()
      if (rot !== null) found.push(rot)
      isOver = isPassOver
    })
  }
  return found
}

/** The same files, read without waiting for their time. */
function atOnce(files: SimFiles): ConstructorParameters<typeof LogScrubber>[0]['files'] {
  return new Proxy(files, {
    get: (target, name) => {
      if (name !== 'readFromDisk') return Reflect.get(target, name, target)
      return (path: string, offset: number, bytes: number, done: ReadDone) => {
        try {
          done(null, target.readAt(path, offset, bytes))
        } catch (error) {
          done(error as Parameters<ReadDone>[0], new Uint8Array(0))
        }
      }
    },
  })
}

type ReadDone = Parameters<SimFiles['readFromDisk']>[3]

/** @returns true when that ended a pass */
function scrubPiece(bench: LogBench): boolean {
  let isPassOver = false
  let isDone = false
  bench.log.scrubNext((verify) => {
    isPassOver = verify().isPassOver
    isDone = true
  })
  bench.runUntil(() => isDone)
  return isPassOver
}

function scrubPass(bench: LogBench): void {
  while (!scrubPiece(bench)) continue
}

function pathOf(segment: number): string {
  return `log/segment-${String(segment).padStart(10, '0')}`
}
