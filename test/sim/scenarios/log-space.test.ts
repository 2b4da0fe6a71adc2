import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entriesOf, hardState, LogBench } from './log-fixture.js'

const BIG = 'x'.repeat(25_000)

test('full disk: the prepared spare keeps appends going, and the log says that it is full', () => {
  const bench = filledBench()
  assert.equal(bench.log.stats.shortage, null)
  bench.files.setFull(true)
  assert.ok(bench.append([entriesOf(0, 3, [BIG])]), 'the third batch opens the spare')
  bench.settle()
  assert.equal(bench.log.stats.shortage, 'the disk is full')
  assert.equal(bench.log.canAppend(1_000), false)
  assert.ok(bench.append([entriesOf(0, 4, [BIG])]))
})

test('full disk: an append that finds no spare waits, and is done when there is space again', () => {
  const bench = filledBench()
  bench.files.setFull(true)
  for (const index of [3, 4]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  let isDone = false
  bench.log.append([entriesOf(0, 5, [BIG])], () => {
    isDone = true
  })
  bench.settle(60_000)
  assert.deepEqual([isDone, bench.failures], [false, []])
  bench.files.setFull(false)
  bench.log.retryPreallocation()
  bench.settle()
  assert.deepEqual([isDone, bench.log.stats.shortage], [true, null])
  bench.crash()
  bench.open()
  assert.equal(bench.payloads(0).length, 5)
})

test('full disk: what a release would write never holds up a batch that has room without it', () => {
  const bench = new LogBench({ retainBytes: 1024 * 1024 })
  bench.open('create')
  bench.append([entriesOf(9, 1, ['y'.repeat(12_000)])])
  for (let index = 1; index <= 6; index += 1) bench.append([entriesOf(0, index, [BIG])])
  bench.settle()
  bench.files.setFull(true)
  for (let index = 7; index <= 9; index += 1) {
    assert.ok(bench.append([entriesOf(0, index, [BIG])]), `entry ${index}`)
  }
  bench.settle()
  assert.equal(bench.log.stats.shortage, 'the disk is full')
  bench.log.compact(0, 9)
  assert.ok(bench.append([entriesOf(0, 10, ['a completion'])]))
})

test('full disk: the log finds out by itself that there is space again', () => {
  const bench = filledBench()
  bench.files.setFull(true)
  assert.ok(bench.append([entriesOf(0, 3, [BIG])]))
  bench.settle()
  bench.files.setFull(false)
  bench.settle(6_000)
  assert.equal(bench.log.stats.shortage, null)
})

test('full disk: a start that finds no room waits, says once what to do, and goes on', () => {
  const bench = filledBench()
  for (const index of [3, 4]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  bench.settle()
  bench.kill()
  bench.files.remove('log/segment-0000000003')
  bench.files.setFull(true)
  bench.open()
  bench.settle(60_000)
  assert.deepEqual(bench.warnings.length, 1)
  assert.match(bench.warnings[0] ?? '', /disk is full \(ENOSPC\).*start.*waits.*free/i)
  assert.throws(() => bench.log, 'the log is not open')
  bench.files.setFull(false)
  bench.settle(6_000)
  assert.equal(bench.log.recovered.arcs.get(0)?.lastIndex, 4)
  assert.equal(bench.warnings.length, 1)
})

test('a shortage is told once each time it begins, and names what is lacking', () => {
  const bench = filledBench()
  assert.ok(bench.append([entriesOf(0, 3, [BIG])]))
  bench.settle()
  bench.files.setFull(true)
  for (const index of [4, 5]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  bench.settle(60_000)
  bench.files.setFull(false)
  bench.settle(6_000)
  bench.files.setOutOfDescriptors(true)
  for (const index of [6, 7]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  bench.settle(60_000)
  assert.equal(bench.warnings.length, 2, bench.warnings.join('\n'))
  assert.match(bench.warnings[0] ?? '', /ENOSPC/)
  assert.match(bench.warnings[1] ?? '', /EMFILE.*ulimit -n/)
})

test('full disk: a log that cannot be made fails at once', () => {
  const bench = new LogBench()
  bench.files.setFull(true)
  bench.open('create')
  assert.deepEqual(
    bench.failures.map((failure) => failure.code),
    ['ENOSPC'],
  )
})

test('no descriptor free: the log goes on in what it has open, and makes its spare later', () => {
  const bench = filledBench()
  assert.ok(bench.append([entriesOf(0, 3, [BIG])]), 'the third batch opens the spare')
  bench.files.setOutOfDescriptors(true)
  assert.ok(bench.append([entriesOf(0, 4, [BIG])]))
  bench.settle()
  assert.deepEqual([bench.failures, bench.log.stats.shortage], [[], 'too many files are open'])
  bench.files.setOutOfDescriptors(false)
  bench.settle()
  assert.equal(bench.log.stats.shortage, null)
  assert.ok(bench.append([entriesOf(0, 5, [BIG])]))
})

test('no descriptor free: a batch that needs the next segment waits, and is done later', () => {
  const bench = filledBench()
  bench.files.setOutOfDescriptors(true)
  for (const index of [3, 4]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  let isDone = false
  bench.log.append([entriesOf(0, 5, [BIG])], () => {
    isDone = true
  })
  bench.settle(60_000)
  assert.deepEqual([isDone, bench.failures], [false, []])
  bench.files.setOutOfDescriptors(false)
  bench.settle()
  assert.equal(isDone, true)
  bench.crash()
  bench.open()
  assert.equal(bench.payloads(0).length, 5)
})

test('no descriptor free: segments are copied forward and removed when there is one again', () => {
  const bench = new LogBench({ retainBytes: 64 * 1024 })
  bench.open('create')
  bench.append([entriesOf(9, 1, ['idle and needed'])])
  for (let index = 1; index <= 7; index += 1) bench.append([entriesOf(0, index, [BIG])])
  bench.settle()
  bench.log.compact(0, 6)
  for (let index = 8; index <= 14; index += 1) {
    bench.files.setOutOfDescriptors(true)
    let isDone = false
    bench.log.append([entriesOf(0, index, [BIG])], () => {
      isDone = true
    })
    bench.settle()
    bench.files.setOutOfDescriptors(false)
    bench.settle()
    assert.deepEqual([isDone, bench.failures], [true, []])
    bench.log.compact(0, index - 1)
  }
  for (let index = 15; index <= 17; index += 1) bench.append([entriesOf(0, index, [BIG])])
  bench.settle()
  assert.equal(bench.files.exists('log/segment-0000000001'), false)
  assert.equal(bench.log.read(9, 1, 1)[0]?.payload, 'idle and needed')
})

test('no descriptor free: each moment at which they run out is survived, and nothing is lost', () => {
  for (let moment = 0; moment < 60; moment += 1) {
    const bench = new LogBench({ retainBytes: 64 * 1024 })
    bench.open('create')
    let acknowledged = 0
    const append = (): void => {
      const index = acknowledged + 1
      bench.log.append([entriesOf(0, index, [BIG])], () => {
        acknowledged = index
        bench.log.compact(0, index - 2)
        if (index < 12) append()
      })
    }
    append()
    for (let step = 0; step < moment; step += 1) bench.time.step(bench.time.now + 100)
    bench.files.setOutOfDescriptors(true)
    bench.settle()
    bench.files.setOutOfDescriptors(false)
    bench.settle()
    assert.deepEqual([acknowledged, bench.failures], [12, []], `after ${moment} steps`)
    bench.crash()
    bench.open()
    assert.equal(bench.log.recovered.arcs.get(0)?.lastIndex, 12, `after ${moment} steps`)
  }
})

test('segments: compacted ones are removed once more than the retained bytes are used', () => {
  const bench = filledBench()
  for (let index = 3; index <= 20; index += 1) {
    bench.append([entriesOf(0, index, [BIG])])
    bench.log.compact(0, index - 1)
    bench.settle()
  }
  assert.ok(bench.log.stats.segments <= 5, `${bench.log.stats.segments} segments`)
  bench.crash()
  bench.open()
  assert.equal(bench.log.recovered.arcs.get(0)?.lastIndex, 20)
  assert.deepEqual(bench.log.recovered.damaged, [])
})

test('segments: entries that an arc still needs keep their segments, however many', () => {
  const bench = filledBench()
  for (let index = 3; index <= 20; index += 1) bench.append([entriesOf(0, index, [BIG])])
  assert.equal(bench.log.read(0, 1, 20).length, 20)
})

test('segments: the few entries of an idle arc are copied forward and free the old segments', () => {
  const bench = new LogBench({ retainBytes: 64 * 1024 })
  bench.open('create')
  bench.append([hardState(9, 4, 'me'), entriesOf(9, 1, ['idle', 'and', 'needed'], 4)])
  for (let index = 1; index <= 30; index += 1) {
    bench.append([entriesOf(0, index, [BIG])])
    bench.log.compact(0, index - 1)
    bench.log.compact(9, 1)
    bench.settle()
  }
  assert.equal(bench.files.exists('log/segment-0000000001'), false)
  assert.ok(bench.log.stats.segments <= 4, `${bench.log.stats.segments} segments`)
  for (let life = 0; life < 3; life += 1) {
    assert.deepEqual(
      bench.log.read(9, 2, 3).map((entry) => entry.payload),
      ['and', 'needed'],
    )
    bench.crash()
    bench.open()
    assert.deepEqual(bench.log.recovered.damaged, [])
    assert.equal(bench.log.recovered.arcs.get(9)?.vote, 'me')
  }
})

test('segments: what an arc needs again after all is kept, as far as it is still there', () => {
  const bench = new LogBench({ retainBytes: 64 * 1024 })
  bench.open('create')
  bench.append([entriesOf(9, 1, ['all', 'of', 'it'])])
  bench.log.compact(9, 2)
  bench.log.keep(9)
  for (let index = 1; index <= 30; index += 1) {
    bench.append([entriesOf(0, index, [BIG])])
    bench.log.compact(0, index - 1)
    bench.settle()
  }
  assert.equal(bench.files.exists('log/segment-0000000001'), false)
  bench.crash()
  bench.open()
  assert.equal(bench.log.recovered.arcs.get(9)?.firstIndex, 1)
  assert.deepEqual(
    bench.log.read(9, 1, 3).map((entry) => entry.payload),
    ['all', 'of', 'it'],
  )
})

test('segments: a half-made spare of an earlier life is thrown away', () => {
  const bench = filledBench()
  bench.files.writeDurably('log/spare.part', new Uint8Array(100).fill(7))
  bench.kill()
  bench.open()
  bench.settle()
  assert.equal(bench.files.exists('log/spare.part'), false)
  for (const index of [3, 4, 5]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
})

test('a batch up to the limit is taken, a larger one is a bug of the caller', () => {
  const bench = new LogBench()
  bench.open('create')
  const room = bench.log.batchBytesMax - 64 - 48 - 12
  assert.ok(bench.append([entriesOf(0, 1, ['x'.repeat(room)])]))
  assert.throws(() => bench.log.append([entriesOf(0, 2, ['x'.repeat(room + 1)])], () => {}), {
    name: 'AssertionError',
  })
})

test('an append that leaves a gap, or comes while another is on its way, is a bug of the caller', () => {
  const bench = new LogBench()
  bench.open('create')
  bench.append([entriesOf(0, 10, ['an arc may begin anywhere'])])
  const bug = { name: 'AssertionError' }
  assert.throws(() => bench.log.append([entriesOf(0, 12, ['gap'])], () => {}), bug)
  bench.log.append([hardState(0, 1)], () => {})
  assert.throws(() => bench.log.append([hardState(0, 2)], () => {}), bug)
})

/** Two batches that fill a segment, and a spare beside it. */
function filledBench(): LogBench {
  const bench = new LogBench()
  bench.open('create')
  for (const index of [1, 2]) assert.ok(bench.append([entriesOf(0, index, [BIG])]))
  bench.settle()
  return bench
}
