import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import Database from 'better-sqlite3'
import type { AppError } from '../base/app-error.js'
import { SqliteTable } from './sqlite-table.js'
import { setStateDatabaseAside } from './state-database.js'
import { temporaryFolder } from './testing/temporary-folder.js'

function setup(t: TestContext): { folder: string; path: string } {
  const folder = temporaryFolder(t)
  return { folder, path: join(folder, 'state.db') }
}

/** A closed database with `count` rows, r0000 … */
function fill(folder: string, count: number): void {
  const table = SqliteTable.open(folder)
  table.commit(rowsOf(count))
  table.close()
}

function rowsOf(count: number, text = 'x'): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, n) => ({
    key: `r${String(n).padStart(4, '0')}`,
    value: JSON.stringify({ n, text: text.repeat(100) }),
  }))
}

/** Opens, reads everything, closes. */
function readAll(folder: string): number {
  const table = SqliteTable.open(folder)
  try {
    return table.scan('', '\u00ff', 10_000, false).length
  } finally {
    table.close()
  }
}

test('a folder without a database gives a new one, and only the first time', (t) => {
  const { folder } = setup(t)
  const first = SqliteTable.open(folder)
  assert.equal(first.isNew, true)
  first.close()
  const second = SqliteTable.open(folder)
  assert.equal(second.isNew, false)
  second.close()
})

test('an empty file is a new database, and an orphaned write-ahead log is none', (t) => {
  const { folder, path } = setup(t)
  writeFileSync(path, '')
  const table = SqliteTable.open(folder)
  assert.equal(table.isNew, true)
  table.commit(rowsOf(3))
  const wal = readFileSync(`${path}-wal`)
  table.close()
  rmSync(path)
  writeFileSync(`${path}-wal`, wal)
  const again = SqliteTable.open(folder)
  assert.equal(again.isNew, true)
  assert.equal(again.get('r0000'), undefined)
  again.close()
})

test('a checkpoint leaves everything in the database file and nothing in the log', (t) => {
  const { folder, path } = setup(t)
  const table = SqliteTable.open(folder)
  table.commit(rowsOf(10))
  assert.ok(table.walBytes > 0)
  table.checkpoint()
  assert.equal(table.walBytes, 0)
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  writeFileSync(join(copy, 'state.db'), readFileSync(path))
  assert.equal(readAll(copy), 10)
  table.close()
})

test('a commit does not touch the database file before a checkpoint', (t) => {
  const { folder, path } = setup(t)
  const table = SqliteTable.open(folder)
  table.checkpoint()
  const before = readFileSync(path)
  for (let n = 0; n < 50; n += 1) table.commit(rowsOf(200, String(n % 10)))
  assert.ok(table.walBytes > before.length)
  assert.deepEqual(readFileSync(path), before)
  table.close()
})

test('the write-ahead log stays near its limit', (t) => {
  const { folder, path } = setup(t)
  const table = SqliteTable.open(folder, { walBytesMax: 200_000 })
  let highest = 0
  for (let n = 0; n < 60; n += 1) {
    table.commit(rowsOf(200, String(n % 10)))
    highest = Math.max(highest, statSync(`${path}-wal`).size)
  }
  assert.ok(highest > 200_000 && highest < 400_000, `${highest} bytes`)
  table.close()
})

test('a second program is refused while the table is open', (t) => {
  const { folder } = setup(t)
  const table = SqliteTable.open(folder)
  assert.throws(() => SqliteTable.open(folder), {
    code: 'state_failed',
    message: /Another program/,
  })
  table.close()
})

test('a file that is no database is damage', (t) => {
  const { folder, path } = setup(t)
  writeFileSync(path, 'not a database, and longer than the hundred bytes of a header'.repeat(100))
  assert.throws(() => SqliteTable.open(folder), { code: 'state_damaged' })
})

test("somebody else's database is refused, and so is one of another format", (t) => {
  const { folder, path } = setup(t)
  const foreign = new Database(path)
  foreign.exec('CREATE TABLE accounts (id INTEGER PRIMARY KEY)')
  foreign.pragma('user_version = 1')
  foreign.close()
  assert.throws(() => SqliteTable.open(folder), { code: 'state_damaged' })
  setStateDatabaseAside(folder)
  fill(folder, 1)
  const later = new Database(path)
  later.pragma('user_version = 3')
  later.close()
  assert.throws(() => SqliteTable.open(folder), { code: 'state_damaged', message: /format/ })
})

/** The table as versions before this one made it. */
function fillBefore(path: string, rows: readonly { key: string; value: string }[]): void {
  const before = new Database(path)
  before.pragma('journal_mode = WAL')
  before.exec(
    'CREATE TABLE rows (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, ' +
      'sum INTEGER NOT NULL) WITHOUT ROWID, STRICT',
  )
  before.pragma(`application_id = ${0x47797265}`)
  before.pragma('user_version = 1')
  const insert = before.prepare('INSERT INTO rows (key, value, sum) VALUES (?, ?, ?)')
  for (const { key, value } of rows) insert.run(key, value, crc32(value, crc32(key)))
  before.close()
}

test('a table of the format before is rebuilt when it is opened, with all of its rows', (t) => {
  const { folder, path } = setup(t)
  fillBefore(path, rowsOf(1000))
  const table = SqliteTable.open(folder)
  assert.equal(table.isNew, false)
  assert.deepEqual(table.scan('', '\u00ff', 2000, false), rowsOf(1000))
  assert.equal(scrubAll(table), 34)
  table.commit([{ key: 'r0500', value: undefined }, ...rowsOf(1)])
  table.checkpoint()
  table.close()
  const after = new Database(path)
  assert.equal(after.pragma('user_version', { simple: true }), 2)
  const names = after.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck()
  assert.deepEqual(names.all(), ['rows'])
  after.close()
  assert.equal(readAll(folder), 999)
})

/** Row 0009 of arc 0x12, its key changed into one of arc 0x13: the order of the rows stays right. */
function fillRotten(path: string): void {
  fillBefore(
    path,
    rowsOf(10).map(({ key, value }) => ({ key: `0012${key}`, value })),
  )
  const content = readFileSync(path)
  content.write('0013', content.indexOf('0012r0009'))
  writeFileSync(path, content)
}

test('a table of the format before in which a key has rotted is not rebuilt: it is not certain whose row that is', (t) => {
  const { folder, path } = setup(t)
  fillRotten(path)
  const table = SqliteTable.open(folder)
  for (const read of [() => scrubAll(table), () => table.get('0013r0009')]) {
    assert.throws(read, ({ code, details }: AppError) => {
      return code === 'state_damaged' && details['key'] === undefined
    })
  }
  table.close()
})

test('a table of the format before whose rows stand in the wrong order is not rebuilt', (t) => {
  const { folder, path } = setup(t)
  fillBefore(path, rowsOf(100))
  const content = readFileSync(path)
  swapFirstCells(content, Math.floor(content.indexOf('r0070{') / 4096) * 4096)
  writeFileSync(path, content)
  const table = SqliteTable.open(folder)
  assert.throws(() => scrubAll(table), { code: 'state_damaged', message: /order/ })
  table.close()
})

test('a table of the format before stays one for who only looks at it', (t) => {
  const { folder, path } = setup(t)
  fillBefore(path, rowsOf(10))
  const table = SqliteTable.open(folder, { keepsFormat: true })
  assert.equal(scrubAll(table), 1)
  table.close()
  const after = new Database(path)
  assert.equal(after.pragma('user_version', { simple: true }), 1)
  after.close()
})

test('a file that was cut short is damage, not a shorter table', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 1000)
  truncateSync(path, statSync(path).size / 2)
  assert.throws(() => readAll(folder), { code: 'state_damaged' })
})

test('a page overwritten with zeroes is damage, not missing rows', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 1000)
  const content = readFileSync(path)
  const page = Math.floor(content.indexOf('r0500') / 4096)
  writeFileSync(path, content.fill(0, page * 4096, (page + 1) * 4096))
  assert.throws(() => readAll(folder), { code: 'state_damaged' })
})

test('scrub walks the whole table in pieces and finds the one rotten row', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 100)
  const healthy = SqliteTable.open(folder)
  assert.equal(scrubAll(healthy), 4)
  healthy.close()
  const content = readFileSync(path)
  const at = content.indexOf('r0070{"n":70') + 'r0070{"n":'.length
  content.writeUInt8(content.readUInt8(at) ^ 1, at)
  writeFileSync(path, content)
  const table = SqliteTable.open(folder)
  assert.equal(table.get('r0069'), rowsOf(70).at(-1)?.value)
  assert.throws(() => scrubAll(table), { code: 'state_damaged', message: /r0070/ })
  for (const read of [() => scrubAll(table), () => table.get('r0070')]) {
    assert.throws(read, ({ details }: AppError) => details['key'] === 'r0070', 'it names its row')
  }
  table.clear('r0070', 'r0071')
  assert.equal(scrubAll(table), 4, 'what cannot be read can be removed')
  table.close()
})

/** @returns pieces that it took */
function scrubAll(table: SqliteTable): number {
  let pieces = 0
  const bounds = { rowsMax: 30, charsMax: 1_000_000 }
  for (let from: string | null = ''; from !== null; pieces += 1) {
    from = table.scrub(from, bounds).next
  }
  return pieces
}

test('a slice of a scrub ends early where rows are large, and the next goes on behind it', (t) => {
  const { folder } = setup(t)
  fill(folder, 10)
  const table = SqliteTable.open(folder)
  const bounds = { rowsMax: 100, charsMax: 1 }
  assert.deepEqual(table.scrub('', bounds), { next: 'r0000', rows: 1 })
  assert.deepEqual(table.scrub('r0000', bounds), { next: 'r0001', rows: 1 })
  assert.deepEqual(table.scrub('r0009', bounds), { next: null, rows: 0 })
  table.close()
})

test('a pass sees what rotted on the disk after the pass before', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 100)
  const table = SqliteTable.open(folder)
  assert.equal(scrubAll(table), 4)
  const content = readFileSync(path)
  const at = content.indexOf('r0070{"n":70') + 'r0070{"n":'.length
  content.writeUInt8(content.readUInt8(at) ^ 1, at)
  writeFileSync(path, content)
  assert.throws(() => scrubAll(table), { code: 'state_damaged', message: /r0070/ })
  table.close()
})

test('a rotten key is found by scrub, though no read of its row would', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 100)
  const content = readFileSync(path)
  // One greater in its last character: the order of the rows stays right.
  content.write(':', content.indexOf('r0099{"n":99') + 'r009'.length)
  writeFileSync(path, content)
  const table = SqliteTable.open(folder)
  assert.throws(() => scrubAll(table), {
    code: 'state_damaged',
    message: /r009:" is found as r0099/,
  })
  table.close()
})

test('a key that rots in the index is found by scrub', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 100)
  const content = readFileSync(path)
  content.write(':', inIndex(content, 'r0099') + 'r009'.length)
  writeFileSync(path, content)
  const table = SqliteTable.open(folder)
  assert.throws(
    () => scrubAll(table),
    ({ code, details }: AppError) => code === 'state_damaged' && details['key'] === undefined,
    'its key stands differently in its two places: it may be any row',
  )
  table.close()
})

/** Where a key stands that no value follows. */
function inIndex(content: Buffer, key: string): number {
  let at = content.indexOf(key)
  while (content.toString('latin1', at + key.length, at + key.length + 1) === '{') {
    at = content.indexOf(key, at + 1)
  }
  assert.ok(at >= 0, `${key} stands in no index`)
  return at
}

test('whole rows in the wrong order are found by scrub', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 100)
  const content = readFileSync(path)
  swapFirstCells(content, Math.floor(inIndex(content, 'r0070') / 4096) * 4096)
  writeFileSync(path, content)
  const table = SqliteTable.open(folder)
  assert.throws(() => scrubAll(table), { code: 'state_damaged', message: /order/ })
  table.close()
})

/** A leaf page: eight bytes of header, then the places of its cells, two bytes each. */
function swapFirstCells(content: Buffer, page: number): void {
  const first = content.readUInt16BE(page + 8)
  content.writeUInt16BE(content.readUInt16BE(page + 10), page + 8)
  content.writeUInt16BE(first, page + 10)
}

test('a database set aside is kept for inspection and the next one is new', (t) => {
  const { folder, path } = setup(t)
  fill(folder, 5)
  setStateDatabaseAside(folder)
  const table = SqliteTable.open(folder)
  assert.equal(table.isNew, true)
  table.close()
  assert.ok(statSync(`${path}.damaged`).size > 0)
  setStateDatabaseAside(folder)
  setStateDatabaseAside(folder)
})
