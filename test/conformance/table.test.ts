import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteTable } from '@gyre/core/internal/adapters/sqlite-table.js'
import { atEnd } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { assert } from '@gyre/core/internal/base/assert.js'
import { SimTable } from '../sim/sim-table.js'
import { checkTable, type TableFixture } from './table.conformance.js'

checkTable('SimTable', () => {
  const table = new SimTable()
  return {
    table,
    reopen: () => table,
    damage: (key) => {
      table.damage(key)
      return table
    },
  }
})

checkTable('SqliteTable', (t): TableFixture => {
  const folder = temporaryFolder(t)
  let table = SqliteTable.open(folder)
  atEnd(t, () => table.close())
  const reopen = (): SqliteTable => {
    table.close()
    table = SqliteTable.open(folder)
    return table
  }
  return {
    table,
    reopen,
    damage: (key) => {
      const value = table.get(key)
      table.close()
      flipLastBit(join(folder, 'state.db'), `${key}${value}`)
      return reopen()
    },
  }
})

/** A row's key and value stand side by side in the file. */
function flipLastBit(path: string, text: string): void {
  const content = readFileSync(path)
  const start = content.indexOf(text)
  assert(start > 0, `${text} is not in the file`)
  const place = start + Buffer.byteLength(text) - 1
  content.writeUInt8(content.readUInt8(place) ^ 1, place)
  writeFileSync(path, content)
}
