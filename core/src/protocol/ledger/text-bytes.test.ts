import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromByteString, toByteString } from './text-bytes.js'

const anyText = fc.string({ unit: 'binary', maxLength: 40 })

test('the byte string of a text is its UTF-8, and leads back to it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(toByteString(text), Buffer.from(text, 'utf8').toString('latin1'))
      assert.equal(fromByteString(toByteString(text)), text)
    }),
  )
})

test('byte strings compare as the bytes do, also where UTF-16 compares otherwise', () => {
  const [astral, privateUse] = ['\u{10000}', '\uffff']
  assert.equal(astral < privateUse, true)
  assert.equal(toByteString(astral) > toByteString(privateUse), true)
})

test('a lone surrogate counts as the replacement character, as in every encoder', () => {
  assert.equal(toByteString('a\ud800b'), Buffer.from('a\ud800b', 'utf8').toString('latin1'))
})
