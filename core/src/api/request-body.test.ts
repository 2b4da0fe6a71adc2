import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from './problem.js'
import { checkDepth, parseBody } from './request-body.js'

const parse = (text: string): unknown => parseBody(Buffer.from(text))

function codeOf(text: string | Uint8Array): string {
  try {
    parseBody(Buffer.from(text))
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
  return 'accepted'
}

test('no bytes are no value, which is not null', () => {
  assert.equal(parse(''), undefined)
  assert.equal(parse('null'), null)
})

test('names that reach a prototype are refused at any depth and however they are spelled', () => {
  for (const text of [
    '{"__proto__":1}',
    '[{"a":{"\\u005f\\u005fproto__":null}}]',
    '{"constructor":{"prototype":{}}}',
  ]) {
    assert.equal(codeOf(text), 'invalid_request', text)
  }
  assert.equal(codeOf('{"constructor":1,"prototype":2,"proto":3}'), 'accepted')
})

test('bytes that are no UTF-8, text that is no JSON and numbers without end are refused', () => {
  assert.equal(codeOf(new Uint8Array([0x22, 0xc3, 0x22])), 'invalid_json')
  for (const text of ['{', 'NaN', "{'a':1}", '[1,]', 'undefined']) {
    assert.equal(codeOf(text), 'invalid_json', text)
  }
  for (const text of ['1e999', '[-1e999]', '{"a":{"b":1e400}}']) {
    assert.equal(codeOf(text), 'invalid_request', text)
  }
})

test('64 levels are accepted and 65 are not; a million levels do not break the stack', () => {
  const nested = (depth: number): unknown => parse('['.repeat(depth) + ']'.repeat(depth))
  checkDepth(nested(64), '')
  assert.throws(() => checkDepth(nested(65), ''), Problem)
  assert.throws(() => nested(1_000_000), Problem)
})

test('any JSON without those names is given as it is', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 10 }), (text) => {
      if (codeOf(text) !== 'accepted') return
      assert.deepEqual(parse(text), JSON.parse(text))
    }),
  )
})
