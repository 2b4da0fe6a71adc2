import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../base/app-error.js'
import { AssertionError } from '../../base/assert.js'
import { Overlay } from './overlay.js'
import type { Table, TableChange, TableRow } from './table.js'

/** The dumbest table, counting what is asked of it. */
class PlainTable implements Table {
  readonly map = new Map<string, string>()
  commits: (readonly TableChange[])[] = []
  reads = 0
  failure: AppError | null = null

  get(key: string): string | undefined {
    this.reads += 1
    return this.map.get(key)
  }

  scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    this.reads += 1
    const keys = [...this.map.keys()].filter((key) => key >= from && key < to).sort()
    if (reverse) keys.reverse()
    return keys.slice(0, limit).map((key) => ({ key, value: this.map.get(key) ?? '' }))
  }

  clear(from: string, to: string): void {
    for (const key of [...this.map.keys()]) if (key >= from && key < to) this.map.delete(key)
  }

  commit(changes: readonly TableChange[]): void {
    if (this.failure !== null) throw this.failure
    this.commits.push(changes)
    for (const { key, value } of changes) {
      if (value === undefined) this.map.delete(key)
      else this.map.set(key, value)
    }
  }

  checkpoint(): void {}
}

function setup(): { table: PlainTable; overlay: Overlay } {
  const table = new PlainTable()
  return { table, overlay: new Overlay(table, { freeze: true }) }
}

/** Puts rows as entry `index` of an arc and commits them. */
function store(overlay: Overlay, arc: number, index: number, keys: readonly string[]): void {
  for (const key of keys) overlay.rows(arc).put(key, { key })
  overlay.setApplied(arc, index)
  overlay.flush(1)
}

const keysOf = (entries: readonly { readonly key: string }[]): string[] =>
  entries.map((entry) => entry.key)

test('a row is seen by its own arc only, before and after it is committed', () => {
  const { overlay } = setup()
  overlay.rows(3).put('job', { state: 'waiting' })
  assert.deepEqual(overlay.rows(3).get('job'), { state: 'waiting' })
  overlay.setApplied(3, 1)
  overlay.flush(100)
  assert.deepEqual(overlay.rows(3).get('job'), { state: 'waiting' })
  assert.equal(overlay.rows(4).get('job'), undefined)
  assert.deepEqual(overlay.rows(4).scan('', '\u00ff', 10), [])
})

test('the rows of an arc and its applied index leave in one commit', () => {
  const { table, overlay } = setup()
  overlay.rows(1).put('a', { n: 1 })
  overlay.rows(1).put('b', { n: 2 })
  overlay.setApplied(1, 7)
  assert.equal(overlay.dirtyRowCount, 3)
  assert.equal(overlay.flush(1), 3)
  assert.equal(overlay.dirtyRowCount, 0)
  assert.equal(table.commits.length, 1)
  assert.equal(new Overlay(table).applied(1), 7)
})

test('flush takes the longest dirty arc first and leaves the others for later', () => {
  const { table, overlay } = setup()
  for (const arc of [5, 2, 9]) {
    overlay.rows(arc).put('a', { arc })
    overlay.setApplied(arc, 1)
  }
  overlay.rows(5).put('b', { late: true })
  overlay.setApplied(5, 2)
  assert.equal(overlay.flush(1), 3)
  assert.deepEqual(new Overlay(table).appliedArcs(), [[5, 2]])
  assert.equal(overlay.flush(3), 4)
  assert.equal(overlay.flush(3), 0)
  assert.deepEqual(new Overlay(table).appliedArcs(), [
    [2, 1],
    [5, 2],
    [9, 1],
  ])
})

test('a commit in the middle of an entry is a bug', () => {
  const { overlay } = setup()
  overlay.rows(1).put('a', { n: 1 })
  assert.throws(() => overlay.flush(1), AssertionError)
})

test('an applied index never falls', () => {
  const { overlay } = setup()
  overlay.setApplied(1, 5)
  assert.throws(() => overlay.setApplied(1, 5), AssertionError)
})

test('a row put and deleted between two commits costs the table no write', () => {
  const { table, overlay } = setup()
  overlay.rows(1).put('passing', { n: 1 })
  overlay.rows(1).delete('passing')
  overlay.setApplied(1, 1)
  assert.equal(overlay.flush(1), 1)
  assert.deepEqual([...table.map.keys()], ['0001\u0000applied'])
})

test('a row of the table that is deleted, put and deleted again is deleted there too', () => {
  const { table, overlay } = setup()
  store(overlay, 1, 1, ['a'])
  overlay.rows(1).delete('a')
  overlay.rows(1).put('a', { again: true })
  overlay.rows(1).delete('a')
  assert.equal(overlay.rows(1).get('a'), undefined)
  overlay.setApplied(1, 2)
  overlay.flush(1)
  assert.equal(table.map.has('0001a'), false)
  assert.equal(overlay.rows(1).get('a'), undefined)
})

test('a row deleted although nobody ever read it is deleted in the table', () => {
  const { table, overlay } = setup()
  store(overlay, 1, 1, ['a'])
  const later = new Overlay(table)
  later.rows(1).delete('a')
  later.setApplied(1, 2)
  later.flush(1)
  assert.equal(table.map.has('0001a'), false)
})

test('a row put over one that nobody read, then deleted, is deleted in the table', () => {
  const { table, overlay } = setup()
  store(overlay, 1, 1, ['a'])
  const later = new Overlay(table)
  later.rows(1).put('a', { over: true })
  later.rows(1).delete('a')
  later.setApplied(1, 2)
  later.flush(1)
  assert.equal(table.map.has('0001a'), false)
})

test('after a failed commit everything is still dirty and leaves at the next try', () => {
  const { table, overlay } = setup()
  overlay.rows(1).put('a', { n: 1 })
  overlay.setApplied(1, 1)
  table.failure = new AppError('state_full', 'no space')
  assert.throws(() => overlay.flush(1), AppError)
  assert.deepEqual(overlay.rows(1).get('a'), { n: 1 })
  assert.deepEqual(overlay.checkpoint(), [])
  overlay.rows(1).put('b', { n: 2 })
  overlay.setApplied(1, 2)
  table.failure = null
  assert.equal(overlay.flush(1), 3)
  assert.deepEqual(overlay.checkpoint(), [[1, 2]])
})

test('checkpoint reports what is committed, not what memory has applied', () => {
  const { overlay } = setup()
  store(overlay, 1, 4, ['a'])
  overlay.rows(1).put('b', { n: 2 })
  overlay.setApplied(1, 5)
  assert.deepEqual(overlay.checkpoint(), [[1, 4]])
  assert.deepEqual(overlay.appliedArcs(), [[1, 5]])
})

test('a scan merges new rows with stored ones, without the deleted, up to the limit', () => {
  const { overlay } = setup()
  store(overlay, 1, 1, ['b', 'd', 'f', 'h'])
  const rows = overlay.rows(1)
  rows.put('a', { new: true })
  rows.put('d', { new: true })
  rows.put('g', { new: true })
  rows.delete('f')
  assert.deepEqual(keysOf(rows.scan('', 'z', 10)), ['a', 'b', 'd', 'g', 'h'])
  assert.deepEqual(keysOf(rows.scan('b', 'h', 10)), ['b', 'd', 'g'])
  assert.deepEqual(keysOf(rows.scan('a', 'z', 2)), ['a', 'b'])
  assert.deepEqual(keysOf(rows.scan('a', 'z', 10, true)), ['h', 'g', 'd', 'b', 'a'])
  assert.deepEqual(keysOf(rows.scan('a', 'h', 2, true)), ['g', 'd'])
  assert.deepEqual(rows.scan('d', 'e', 1), [{ key: 'd', value: { new: true } }])
  assert.deepEqual(rows.scan('d', 'd', 1), [])
  assert.deepEqual(rows.scan('a', 'z', 0), [])
})

test('a scan passes any number of deleted rows and repeats none, in either direction', () => {
  const { overlay } = setup()
  const keys = Array.from({ length: 90 }, (_, n) => `q${String(n).padStart(2, '0')}`)
  store(overlay, 1, 1, keys)
  const rows = overlay.rows(1)
  const left = ['q20', 'q40', 'q41', 'q57', 'q70']
  for (const key of keys) if (!left.includes(key)) rows.delete(key)
  for (const limit of [1, 2, 3, 4, 9]) {
    const expected = left.slice(0, limit)
    assert.deepEqual(keysOf(rows.scan('p', 'r', limit, true)), left.toReversed().slice(0, limit))
    assert.deepEqual(keysOf(rows.scan(`q0${limit}`, 'r', limit)), expected)
    assert.deepEqual(keysOf(rows.scan(`q0${limit}`, 'r', limit)), expected, 'again')
  }
})

test('a row put below a consumed head is found by the next scan', () => {
  const { overlay } = setup()
  store(overlay, 1, 1, ['q1', 'q2', 'q3'])
  const rows = overlay.rows(1)
  rows.delete('q1')
  rows.delete('q2')
  assert.deepEqual(keysOf(rows.scan('q', 'r', 1)), ['q3'])
  rows.put('q1', { again: true })
  assert.deepEqual(keysOf(rows.scan('q', 'r', 1)), ['q1'])
  overlay.setApplied(1, 2)
  overlay.flush(1)
  assert.deepEqual(keysOf(rows.scan('q', 'r', 9)), ['q1', 'q3'])
})

test('taking the head of a long queue reads each stored row a bounded number of times', () => {
  const { table, overlay } = setup()
  const keys = Array.from({ length: 600 }, (_, n) => `q${String(n).padStart(4, '0')}`)
  store(overlay, 1, 1, keys)
  const rows = overlay.rows(1)
  table.reads = 0
  for (const key of keys) {
    assert.deepEqual(keysOf(rows.scan('q', 'r', 1)), [key])
    rows.delete(key)
  }
  assert.ok(table.reads <= 2 * keys.length, `${table.reads} reads`)
})

test('the first row of a range is read once until a flush changes it, and is what the table holds', () => {
  const { table, overlay } = setup()
  store(overlay, 1, 1, ['q1', 'q2'])
  const rows = overlay.rows(1)
  const head = (): unknown => rows.scan('q', 'r', 1)[0]?.value
  table.reads = 0
  for (const n of [1, 2, 3]) {
    rows.put(`q9${n}`, { n })
    assert.deepEqual(head(), { key: 'q1' })
  }
  overlay.setApplied(1, 2)
  overlay.flush(9)
  assert.deepEqual([head(), rows.firstKey('q', 'r')], [{ key: 'q1' }, 'q1'])
  assert.equal(table.reads, 1)
  rows.put('q1', { key: 'q1', changed: true })
  assert.deepEqual(head(), { key: 'q1', changed: true })
  overlay.setApplied(1, 3)
  overlay.flush(9)
  assert.deepEqual(head(), { key: 'q1', changed: true })
  assert.equal(table.reads, 2)
  rows.put('q0', { key: 'q0' })
  assert.deepEqual(head(), { key: 'q0' })
  for (const key of ['q0', 'q1']) rows.delete(key)
  assert.deepEqual(head(), { key: 'q2' })
  overlay.setApplied(1, 4)
  overlay.flush(9)
  assert.deepEqual(head(), { key: 'q2' })
})

test('a row that was read once is not read from the table again, also after it was changed', () => {
  const { table, overlay } = setup()
  store(overlay, 1, 1, ['a'])
  const rows = overlay.rows(1)
  table.reads = 0
  assert.deepEqual(rows.get('a'), { key: 'a' })
  assert.equal(rows.get('none'), undefined)
  assert.equal(rows.get('none'), undefined)
  rows.put('a', { key: 'a', changed: true })
  rows.put('none', { key: 'there now' })
  overlay.setApplied(1, 2)
  overlay.flush(10)
  assert.deepEqual(rows.get('a'), { key: 'a', changed: true })
  assert.deepEqual(rows.get('none'), { key: 'there now' })
  assert.equal(table.reads, 3, 'a row that was absent is written and forgotten')
})

test('a settled row reads, scans, changes and is written as if nothing had happened', () => {
  const { table, overlay } = setup()
  const rows = overlay.rows(1)
  for (const key of ['a', 'b', 'c']) rows.put(key, { key })
  for (const key of ['a', 'b', 'c', 'none']) rows.settle(key)
  assert.deepEqual(rows.get('a'), { key: 'a' })
  assert.deepEqual(rows.scan('a', 'z', 9), [
    { key: 'a', value: { key: 'a' } },
    { key: 'b', value: { key: 'b' } },
    { key: 'c', value: { key: 'c' } },
  ])
  rows.put('b', { key: 'b', changed: true })
  rows.delete('c')
  rows.settle('c')
  overlay.setApplied(1, 1)
  overlay.flush(9)
  const stored = [...table.map].filter(([key]) => !key.includes('applied'))
  assert.deepEqual(stored, [
    ['0001a', '{"key":"a"}'],
    ['0001b', '{"key":"b","changed":true}'],
  ])
  assert.deepEqual(rows.get('a'), { key: 'a' })
})

test('what was known of a row before it was changed and settled is not believed after the flush', () => {
  const { overlay } = setup()
  store(overlay, 1, 1, ['a'])
  const rows = overlay.rows(1)
  assert.deepEqual(rows.get('a'), { key: 'a' })
  rows.put('a', { key: 'a', changed: true })
  rows.settle('a')
  overlay.setApplied(1, 2)
  overlay.flush(9)
  assert.deepEqual(rows.get('a'), { key: 'a', changed: true })
})

test('a row that was inserted and deleted costs no read of the table and leaves nothing in it', () => {
  const table = new PlainTable()
  const overlay = new Overlay(table)
  store(overlay, 1, 1, ['a'])
  const rows = overlay.rows(1)
  table.reads = 0
  rows.insert('timer', { at: 1 })
  rows.delete('timer')
  assert.equal(table.reads, 0)
  overlay.setApplied(1, 2)
  overlay.flush(10)
  assert.deepEqual(keysOf(rows.scan('a', 'z', 9)), ['a'])
})

test('a row that is inserted again after its deletion hides the one in the table', () => {
  const { overlay } = setup()
  store(overlay, 1, 1, ['a'])
  const rows = overlay.rows(1)
  rows.delete('a')
  rows.insert('a', { again: true })
  rows.delete('a')
  overlay.setApplied(1, 2)
  overlay.flush(10)
  assert.equal(rows.get('a'), undefined)
  assert.deepEqual(keysOf(rows.scan('a', 'z', 9)), [])
})

test('an insert over a row is caught where values are frozen', () => {
  const { overlay } = setup()
  overlay.rows(1).put('a', { n: 1 })
  assert.throws(() => overlay.rows(1).insert('a', { n: 2 }), /inserted over a row: a/)
})

test('rows without an applied index are refused as damage', () => {
  const table = new PlainTable()
  table.map.set('0003job', '{}')
  assert.throws(() => new Overlay(table), { code: 'state_damaged' })
})

test('an applied index that is no index is refused as damage', () => {
  const table = new PlainTable()
  table.map.set('0003\u0000applied', '{"index":-1}')
  assert.throws(() => new Overlay(table), { code: 'state_damaged' })
})

test('the last arc of all is loaded too', () => {
  const { table, overlay } = setup()
  store(overlay, 0xffff, 3, ['a'])
  store(overlay, 0, 2, ['a'])
  assert.deepEqual(new Overlay(table).appliedArcs(), [
    [0, 2],
    [0xffff, 3],
  ])
})

test('keys that no row may have are a bug of the caller', () => {
  const { overlay } = setup()
  for (const key of ['', '\u0000applied', 'a\u0100']) {
    assert.throws(() => overlay.rows(1).put(key, {}), AssertionError, JSON.stringify(key))
  }
})

test('frozen rows: writing into a value that was put or got throws', () => {
  const { table, overlay } = setup()
  const value = { nested: { list: [1] } }
  overlay.rows(1).put('a', value)
  assert.throws(() => value.nested.list.push(2), TypeError)
  overlay.setApplied(1, 1)
  overlay.flush(1)
  const got = new Overlay(table, { freeze: true }).rows(1).get<{ nested: { list: number[] } }>('a')
  assert.throws(() => got?.nested.list.push(2), TypeError)
})

test('frozen rows: a value that would change on its way through JSON is a bug', () => {
  const { overlay } = setup()
  for (const bad of [{ a: undefined }, { a: Number.NaN }, { a: new Date(0) }, { a: [-0] }]) {
    assert.throws(() => overlay.rows(1).put('a', bad), AssertionError)
  }
})
