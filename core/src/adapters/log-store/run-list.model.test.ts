import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RunList } from './run-list.js'

const BODY = { segment: 1, position: 0, bytes: 1, crc: 0xffffffff }

const OPERATION = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), length: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(12) }),
  fc.record({ kind: fc.constant('drop' as const), ahead: fc.nat(12) }),
  fc.record({
    kind: fc.constant('place' as const),
    run: fc.nat(12),
    segment: fc.integer({ min: 2, max: 9 }),
  }),
)

test('a run list finds each entry where a plain map from entry to segment has it', () => {
  fc.assert(
    fc.property(fc.array(OPERATION, { maxLength: 60 }), (operations) => {
      const runs = new RunList()
      const model = new Map<number, number>()
      let next = 1
      for (const operation of operations) {
        if (operation.kind === 'push') {
          runs.push({ first: next, last: next + operation.length - 1, body: BODY })
          for (let left = operation.length; left > 0; left -= 1) model.set(next++, BODY.segment)
        } else if (operation.kind === 'truncate') {
          next = Math.max(1, next - operation.back)
          runs.truncateFrom(next)
          for (const entry of [...model.keys()]) if (entry >= next) model.delete(entry)
        } else if (operation.kind === 'drop') {
          dropRuns(runs, model, operation.ahead)
        } else if (runs.count > 0) {
          const run = runs.at(operation.run % runs.count)
          runs.place({ ...run, body: { ...run.body, segment: operation.segment } })
          for (let entry = run.first; entry <= run.last; entry += 1) {
            model.set(entry, operation.segment)
          }
        }
        check(runs, model)
      }
    }),
  )
})

test('a copied run fills the gap that its lost original left', () => {
  const runs = new RunList()
  for (const first of [1, 21]) runs.push({ first, last: first + 9, body: BODY })
  runs.place({ first: 11, last: 20, body: { ...BODY, segment: 7 } })
  assert.deepEqual([runs.count, runs.at(1).first, runs.at(1).body.segment], [3, 11, 7])
  assert.equal(runs.at(2).first, 21)
})

/** Whole runs go: those that end before the given entry. */
function dropRuns(runs: RunList, model: Map<number, number>, ahead: number): void {
  const first = (runs.count === 0 ? 1 : runs.at(0).first) + ahead
  const kept = runs.find(first)
  const start = kept < runs.count ? runs.at(kept).first : Number.POSITIVE_INFINITY
  runs.dropBefore(first)
  for (const entry of [...model.keys()]) if (entry < start) model.delete(entry)
}

function check(runs: RunList, model: ReadonlyMap<number, number>): void {
  const found = new Map<number, number>()
  for (let index = 0; index < runs.count; index += 1) {
    const { first, last, body } = runs.at(index)
    assert.equal(body.crc, 0xffffffff)
    for (let entry = first; entry <= last; entry += 1) {
      found.set(entry, runs.segmentAt(index))
      assert.equal(runs.find(entry), index)
    }
  }
  assert.deepEqual(found, new Map([...model].sort(([a], [b]) => a - b)))
}
