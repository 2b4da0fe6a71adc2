import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ABSENT, KnownRows } from './known-rows.js'

const setup = (): KnownRows => new KnownRows({ knownRowsMax: 10, knownCharsMax: 1000 })

test('a row that is used again outlives many that are not', () => {
  const known = setup()
  known.set('used', { n: 1 }, 10)
  for (let n = 0; n < 100; n += 1) {
    known.set(`passing ${n}`, ABSENT, 0)
    assert.deepEqual(known.get('used'), { n: 1 })
    assert.ok(known.size <= 11, `${known.size} rows`)
  }
  assert.equal(known.get('passing 1'), undefined)
  assert.equal(known.get('passing 99'), ABSENT)
})

test('rows are dropped by the length of their text too', () => {
  const known = setup()
  for (let n = 0; n < 6; n += 1) known.set(`big ${n}`, { n }, 600)
  assert.ok(known.size <= 2, `${known.size} rows`)
})

test('the newest word on a row counts', () => {
  const known = setup()
  known.set('a', { n: 1 }, 10)
  known.set('a', ABSENT, 0)
  assert.equal(known.get('a'), ABSENT)
  assert.equal(known.size, 1)
})
