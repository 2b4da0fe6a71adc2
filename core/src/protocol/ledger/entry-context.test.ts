import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import { EntryContext } from './entry-context.js'
import { keys } from './rows-layout.js'
import { toyHash } from './testing/ledger-harness.js'

/** @returns the text of the row with the counts, after an entry for each of these changes */
function countsAfter(...entries: (readonly (readonly [string, number])[])[]): string {
  const rows = new Overlay(new MemoryTable(), { freeze: true }).rows(0)
  for (const changes of entries) {
    const context = new EntryContext({
      rows,
      stamp: { t: 1, s: 1 },
      position: { arc: 0, term: 1, index: 1 },
      hash: toyHash,
      tally: null,
    })
    for (const [name, delta] of changes) context.countReady(name, delta)
    context.save()
  }
  return JSON.stringify(rows.get(keys.readyCounts))
}

test('equal counts make equal rows, in whatever order their names came', () => {
  // Names that are whole numbers stand first in every object, in an order of their own.
  const names = ['b', '9', '3y', 'a', '10', '5x']
  const row = '{"counts":{"9":1,"10":1,"3y":1,"5x":1,"a":1,"b":1}}'
  const ones = names.map((name) => [[name, 1]] as const)
  assert.equal(countsAfter(...ones), row)
  assert.equal(countsAfter(...ones.toReversed()), row)
  assert.equal(countsAfter(ones.flat()), row)
  assert.equal(countsAfter([['c', 2]], ...ones, [['c', -2]]), row)
})

test('what went up and down again in one entry is no change', () => {
  const upAndDown = [
    ['a', 1],
    ['b', 1],
    ['a', -1],
  ] as const
  assert.equal(countsAfter(upAndDown), '{"counts":{"b":1}}')
  assert.equal(countsAfter([...upAndDown, ['b', -1]]), undefined)
})
