import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { AppError } from '@gyre/core/internal/base/app-error.js'
import type { Table, TableRow } from '@gyre/core/internal/protocol/state/table.js'
import fc from 'fast-check'

/** One table of its own, and what happens to it. */
export interface TableFixture {
  readonly table: Table
  /** The process ends and starts again over the same store; no power is cut. */
  reopen(): Table
  /** Changes the stored value of a row behind the table's back. */
  damage(key: string): Table
}

/** What every implementation of the port `Table` must do; run for each of them. */
export function checkTable(name: string, setup: (owner: Owner) => TableFixture): void {
  const claim = (what: string, run: (fixture: TableFixture) => void): void => {
    test(`${name}: ${what}`, (t) => run(setup(t)))
  }

  claim('a committed row is read back, an absent one is undefined', ({ table }) => {
    table.commit([{ key: 'a', value: '{"n":1}' }])
    assert.equal(table.get('a'), '{"n":1}')
    assert.equal(table.get('b'), undefined)
  })

  claim('later changes of one commit win over earlier ones', ({ table }) => {
    table.commit([
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
      { key: 'b', value: '3' },
      { key: 'b', value: undefined },
      { key: 'never', value: undefined },
    ])
    assert.deepEqual(all(table), [{ key: 'a', value: '2' }])
  })

  claim('keys are ordered by code unit and survive whole, U+0000 included', ({ table }) => {
    const keys = ['0000', '0000\u0000', '0000\u0000a', '0000\u0001', '0000a', '0000a\u0000b']
    keys.push('0000b', '0000\u007f', '0000\u0080', '0000\u00e9', '0000\u00ff')
    table.commit([...keys].reverse().map((key) => ({ key, value: JSON.stringify(key) })))
    assert.deepEqual(
      all(table).map((row) => row.key),
      keys,
    )
    for (const key of keys) assert.equal(table.get(key), JSON.stringify(key))
  })

  claim('a range is cleared, and nothing beside it', ({ table }) => {
    table.commit(['a', 'b', 'b\u0000', 'c'].map((key) => ({ key, value: '0' })))
    table.clear('b', 'c')
    const left = all(table).map((row) => row.key)
    assert.deepEqual(left, ['a', 'c'])
  })

  claim('a scan takes from ≤ key < to, up to the limit, in either direction', ({ table }) => {
    table.commit(['a', 'b', 'c', 'd'].map((key) => ({ key, value: '0' })))
    const scan = (from: string, to: string, limit: number, reverse: boolean): string =>
      table
        .scan(from, to, limit, reverse)
        .map((row) => row.key)
        .join('')
    assert.equal(scan('b', 'd', 9, false), 'bc')
    assert.equal(scan('b', 'd', 9, true), 'cb')
    assert.equal(scan('a', 'z', 2, false), 'ab')
    assert.equal(scan('a', 'z', 2, true), 'dc')
    assert.equal(scan('c', 'b', 9, false), '')
  })

  claim('values come back letter by letter, whatever they hold', ({ table }) => {
    const values = ['', '\u0000', 'ü€😀', 'x'.repeat(300_000)]
    table.commit(values.map((value, n) => ({ key: `${n}`, value })))
    for (const [n, value] of values.entries()) assert.equal(table.get(`${n}`), value)
  })

  claim('commits survive the end of the process without a checkpoint', (fixture) => {
    fixture.table.commit([{ key: 'a', value: '1' }])
    fixture.table.commit([{ key: 'a', value: '2' }])
    assert.deepEqual(all(fixture.reopen()), [{ key: 'a', value: '2' }])
  })

  claim('a commit that is refused half-way leaves nothing behind', ({ table }) => {
    table.commit([{ key: 'a', value: '1' }])
    assert.throws(() =>
      table.commit([
        { key: 'a', value: '2' },
        { key: 'not latin: \u0100', value: '3' },
      ]),
    )
    assert.deepEqual(all(table), [{ key: 'a', value: '1' }])
    table.commit([{ key: 'a', value: '4' }])
    assert.equal(table.get('a'), '4')
  })

  claim('a damaged row is refused by get and by scan, its neighbours are not', (fixture) => {
    fixture.table.commit(['a', 'b', 'c'].map((key) => ({ key, value: '"value"' })))
    const table = fixture.damage('b')
    assert.throws(() => table.get('b'), isDamage)
    assert.throws(() => all(table), isDamage)
    assert.equal(table.get('a'), '"value"')
    assert.equal(table.scan('c', 'd', 9, false).length, 1)
  })

  claim('a damaged row is whole again once it is written', (fixture) => {
    fixture.table.commit([{ key: 'a', value: '"value"' }])
    const table = fixture.damage('a')
    table.commit([{ key: 'a', value: '"new"' }])
    assert.equal(table.get('a'), '"new"')
  })

  claim('behaves as a sorted map under random commits', (fixture) => {
    fc.assert(fc.property(fc.array(COMMIT, { maxLength: 8 }), followsModel(fixture)), {
      numRuns: 60,
      verbose: true,
    })
  })
}

const KEY = fc.string({
  unit: fc.constantFrom('a', 'b', '\u0000', '\u0080', '\u00ff'),
  maxLength: 4,
})
const COMMIT = fc.array(
  fc.record({ key: KEY, value: fc.option(fc.string(), { nil: undefined, freq: 2 }) }),
  { maxLength: 6 },
)

type Commit = { readonly key: string; readonly value: string | undefined }[]

/** The table lives through all runs, so each begins by emptying it. */
function followsModel({ table }: TableFixture): (commits: Commit[]) => void {
  return (commits) => {
    table.commit(all(table).map(({ key }) => ({ key, value: undefined })))
    const model = new Map<string, string>()
    for (const changes of commits) {
      table.commit(changes)
      for (const { key, value } of changes) {
        if (value === undefined) model.delete(key)
        else model.set(key, value)
      }
    }
    const expected = [...model].map(([key, value]) => ({ key, value }))
    expected.sort((a, b) => (a.key < b.key ? -1 : 1))
    assert.deepEqual(all(table), expected)
    assert.deepEqual(table.scan('', END, 3, true), expected.reverse().slice(0, 3))
  }
}

const END = '\u0100'

function all(table: Table): TableRow[] {
  return table.scan('', END, 1000, false)
}

function isDamage(error: unknown): boolean {
  return error instanceof AppError && error.code === 'state_damaged'
}
