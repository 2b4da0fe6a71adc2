import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEntry } from '@gyre/core/internal/ports/log-store.js'
import { hardState, LogBench } from './log-fixture.js'

const command = (index: number, term = 3): LogEntry => ({ index, term, payload: `c${index}` })

test('log records: the kind of an entry survives, beside any term, in cache and on disk', () => {
  for (const tailCacheBytes of [0, 10_000]) {
    const bench = new LogBench({ tailCacheBytes })
    bench.open('create')
    const entries: LogEntry[] = [
      command(1, 1),
      { index: 2, term: 2 ** 40, payload: '', kind: 'no-op' },
      { index: 3, term: 2 ** 53 - 1, payload: '{"é":1}', kind: 'config' },
    ]
    bench.append([{ kind: 'append', arc: 7, entries }])
    assert.deepEqual(bench.log.read(7, 1, 3), entries)
    bench.crash()
    bench.open()
    assert.deepEqual(bench.log.read(7, 1, 3), entries)
    assert.equal(bench.log.recovered.arcs.get(7)?.lastTerm, 2 ** 53 - 1)
  }
})

test('log records: a snapshot takes the place of an arc’s entries, and the next one follows it', () => {
  for (const tailCacheBytes of [0, 10_000]) {
    const bench = new LogBench({ tailCacheBytes })
    bench.open('create')
    bench.append([
      hardState(7, 3),
      { kind: 'append', arc: 7, entries: [command(1), command(2)] },
      { kind: 'append', arc: 8, entries: [command(1)] },
    ])
    bench.append([
      { kind: 'reset', arc: 7, index: 9, term: 3 },
      { kind: 'append', arc: 7, entries: [command(10)] },
    ])
    bench.append([{ kind: 'append', arc: 7, entries: [command(11)] }])
    const check = (): void => {
      assert.deepEqual(bench.log.read(7, 10, 11), [command(10), command(11)])
      assert.deepEqual(bench.log.read(8, 1, 1), [command(1)])
      assert.throws(() => bench.log.read(7, 2, 2), /does not hold/)
    }
    check()
    bench.crash()
    bench.open()
    check()
    assert.deepEqual(bench.log.recovered.damaged, [])
    const { firstIndex, lastIndex, term } = bench.log.recovered.arcs.get(7) ?? {}
    assert.deepEqual([firstIndex, lastIndex, term], [10, 11, 3])
  }
})

test('log records: an arc that a snapshot has emptied remembers where it stands', () => {
  const bench = new LogBench()
  bench.open('create')
  bench.append([{ kind: 'append', arc: 7, entries: [command(1), command(2), command(3)] }])
  bench.append([{ kind: 'reset', arc: 7, index: 2, term: 2 }])
  bench.crash()
  bench.open()
  const { firstIndex, lastIndex, lastTerm } = bench.log.recovered.arcs.get(7) ?? {}
  assert.deepEqual([firstIndex, lastIndex, lastTerm], [3, 2, 2])
  bench.append([{ kind: 'append', arc: 7, entries: [command(3, 4)] }])
  assert.deepEqual(bench.log.read(7, 3, 3), [command(3, 4)])
})
