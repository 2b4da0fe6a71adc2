import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ABSENT, type KnownRow, KnownRows } from './known-rows.js'

const ARC = 7
const NONE: KnownRow = { known: ABSENT, chars: 0 }

const row = (known: object, chars: number): KnownRow => ({ known, chars })

const setup = (): KnownRows => new KnownRows({ knownRowsMax: 10, knownCharsMax: 1000 })

test('a row that is used again outlives many that are not', () => {
  const known = setup()
  known.set(ARC, 'used', row({ n: 1 }, 10))
  for (let n = 0; n < 100; n += 1) {
    known.set(ARC, `passing ${n}`, NONE)
    assert.deepEqual(known.get(ARC, 'used'), { n: 1 })
    assert.ok(known.size <= 11, `${known.size} rows`)
  }
  assert.equal(known.get(ARC, 'passing 1'), undefined)
  assert.equal(known.get(ARC, 'passing 99'), ABSENT)
})

test('rows are dropped by the length of their text too', () => {
  const known = setup()
  for (let n = 0; n < 6; n += 1) known.set(ARC, `big ${n}`, row({ n }, 600))
  assert.ok(known.size <= 2, `${known.size} rows`)
})

test('the newest word on a row counts', () => {
  const known = setup()
  known.set(ARC, 'a', row({ n: 1 }, 10))
  known.set(ARC, 'a', NONE)
  assert.equal(known.get(ARC, 'a'), ABSENT)
  assert.equal(known.size, 1)
})

test('rows of different arcs are different rows', () => {
  const known = setup()
  known.set(1, 'a', row({ n: 1 }, 10))
  known.set(2, 'a', row({ n: 2 }, 10))
  assert.deepEqual(known.get(1, 'a'), { n: 1 })
  assert.deepEqual(known.get(2, 'a'), { n: 2 })
  assert.equal(known.size, 2)
})

test('a correction changes what is remembered and remembers nothing new', () => {
  const known = setup()
  known.set(ARC, 'read', row({ n: 1 }, 10))
  known.correct(ARC, 'read', row({ n: 2 }, 10))
  known.correct(ARC, 'never read', row({ n: 2 }, 10))
  assert.deepEqual(known.get(ARC, 'read'), { n: 2 })
  assert.equal(known.get(ARC, 'never read'), undefined)
  assert.equal(known.size, 1)
})

test('a correction reaches a row of the older generation', () => {
  const known = setup()
  known.set(ARC, 'read', row({ n: 1 }, 10))
  for (let n = 0; n < 6; n += 1) known.set(ARC, `passing ${n}`, NONE)
  known.correct(ARC, 'read', NONE)
  assert.equal(known.get(ARC, 'read'), ABSENT)
})
