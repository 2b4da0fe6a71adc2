import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLongerThan, utf8Length } from './text-size.js'

test('the size of a text is that of its UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      assert.equal(utf8Length(text), Buffer.byteLength(text))
    }),
  )
})

test('a lone surrogate counts as the replacement character, as in every encoder', () => {
  assert.equal(utf8Length('\udc00'), 3)
})

test('a text is too long from the first byte over the limit', () => {
  assert.equal(isLongerThan('ää', 4), false)
  assert.equal(isLongerThan('äää', 5), true)
  assert.equal(isLongerThan('aaaaa', 5), false)
  assert.equal(isLongerThan('aaaaaa', 5), true)
})
