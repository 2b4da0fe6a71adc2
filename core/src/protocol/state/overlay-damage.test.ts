import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../base/app-error.js'
import { damageOf } from './damage.js'
import { Overlay } from './overlay.js'
import { RottenTable } from './testing/rotten-table.js'

const ALL = Number.MAX_SAFE_INTEGER
const FOUND = 'row 0001a has rotted'

/** Two arcs with a row each, committed at index 1, and a change of each that is not. */
function setup() {
  const table = new RottenTable()
  const overlay = new Overlay(table)
  for (const arc of [1, 2]) change(overlay, arc, 1)
  overlay.flush(ALL)
  for (const arc of [1, 2]) change(overlay, arc, 2)
  return { table, overlay }
}

function change(overlay: Overlay, arc: number, index: number): void {
  overlay.rows(arc).put('a', { index })
  overlay.setApplied(arc, index)
}

test('of a damaged arc nothing is committed and nothing counts as durable; the others go on', () => {
  const { table, overlay } = setup()
  // In the middle of an entry: apply has met the row.
  overlay.rows(1).put('b', { half: true })
  assert.equal(overlay.noteDamage({ arc: 1, key: '0001a', found: FOUND }), true)
  assert.equal(overlay.noteDamage({ arc: 1, key: '0001b', found: 'more' }), false)
  overlay.flush(ALL)
  assert.deepEqual(overlay.checkpoint(), [[2, 2]])
  assert.deepEqual([overlay.dirtyRowCount, overlay.applied(1), overlay.applied(2)], [0, 1, 2])
  assert.deepEqual([table.get('0001a'), table.get('0001b')], ['{"index":1}', undefined])
})

test('damage is remembered over restarts, until the arc is rebuilt from nothing', () => {
  const { table, overlay } = setup()
  overlay.noteDamage({ arc: 1, key: '0001a', found: FOUND })
  const again = new Overlay(table)
  assert.deepEqual([again.damagedArcs, again.appliedArcs()], [[[1, FOUND, 1]], [[2, 1]]])
  again.rebuild(1)
  assert.deepEqual([again.damagedArcs, again.applied(1)], [[], 0])
  assert.equal(again.rows(1).get('a'), undefined)
  change(again, 1, 1)
  again.flush(ALL)
  const last = new Overlay(table)
  assert.deepEqual(last.damagedArcs, [])
  assert.deepEqual(last.appliedArcs(), [
    [1, 1],
    [2, 1],
  ])
})

test('a rebuild that dies between removing the rows and removing the mark is begun again', () => {
  const { table, overlay } = setup()
  overlay.noteDamage({ arc: 1, key: '0001a', found: FOUND })
  const commit = table.commit.bind(table)
  table.commit = (changes) => {
    if (changes.some(({ key }) => key.startsWith('~damaged/'))) throw new Error('killed')
    commit(changes)
  }
  assert.throws(() => overlay.rebuild(1), /killed/)
  table.commit = commit
  const again = new Overlay(table)
  assert.deepEqual([table.get('0001a'), table.get('0002a')], [undefined, '{"index":1}'])
  assert.deepEqual(
    again.damagedArcs,
    [[1, FOUND, 0]],
    'an arc without rows and without a mark is new',
  )
  again.rebuild(1)
  change(again, 1, 1)
  again.flush(ALL)
  const last = new Overlay(table)
  assert.deepEqual([last.damagedArcs, last.applied(1)], [[], 1])
})

test('a mark that found no room is tried again', () => {
  const { table, overlay } = setup()
  const commit = table.commit.bind(table)
  table.commit = () => {
    throw new AppError('state_full', 'no room')
  }
  overlay.noteDamage({ arc: 1, key: '0001a', found: FOUND })
  assert.throws(() => overlay.flush(ALL), { code: 'state_full' })
  table.commit = commit
  assert.ok(overlay.dirtyRowCount > 0)
  overlay.flush(ALL)
  assert.deepEqual(new Overlay(table).damagedArcs, [[1, FOUND, 1]])
})

test('an arc whose first row or applied index has rotted is found at the start; the others are loaded', () => {
  for (const key of ['0001\u0000applied', '0001a']) {
    const { table } = setup()
    table.rot(key)
    const overlay = new Overlay(table)
    const isApplied = key !== '0001a'
    assert.deepEqual(overlay.damagedArcs, isApplied ? [[1, `row ${key} has rotted`, 0]] : [])
    assert.deepEqual(
      overlay.appliedArcs(),
      isApplied
        ? [[2, 1]]
        : [
            [1, 1],
            [2, 1],
          ],
    )
  }
})

test('a mark that rots is one of its arc all the same, and hides no other', () => {
  const { table, overlay } = setup()
  for (const arc of [1, 2]) overlay.noteDamage({ arc, key: `000${arc}a`, found: FOUND })
  table.rot('~damaged/0001')
  assert.deepEqual(new Overlay(table).damagedArcs, [
    [1, 'row ~damaged/0001 has rotted', 1],
    [2, FOUND, 1],
  ])
})

test('a row that no arc can have is damage of the whole table', () => {
  const error = new AppError('state_damaged', FOUND, { details: { key: '~other', found: FOUND } })
  assert.equal(damageOf(error), null)
})
