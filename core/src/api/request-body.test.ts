import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from './problem.js'
import { checkDepth, checkJson, parseBody } from './request-body.js'

function parse(bytes: string | Uint8Array): unknown {
  const value = parseBody(Buffer.from(bytes))
  checkJson(value)
  return value
}

function codeOf(text: string | Uint8Array): string {
  try {
    parse(text)
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

test('__proto__ is refused at any depth and however it is spelled', () => {
  for (const text of ['{"__proto__":1}', '[{"a":{"\\u005f\\u005fproto__":null}}]']) {
    assert.equal(codeOf(text), 'invalid_request', text)
  }
  assert.equal(codeOf('{"constructor":{"prototype":{"a":1}},"prototype":2,"proto":3}'), 'accepted')
})

test('what is refused is told with its place', () => {
  const placeOf = (text: string): unknown => {
    try {
      parse(text)
    } catch (error) {
      if (error instanceof Problem) return error.toBody()['errors']
    }
    return undefined
  }
  const [issue] = placeOf('{"a":[0,{"b/c":{"__proto__":1}}]}') as { path: string }[]
  assert.equal(issue?.path, '/a/1/b~1c')
  const [number] = placeOf('[1,[2,1e999]]') as { path: string }[]
  assert.equal(number?.path, '/1/1')
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

test('an integer that would come back as another is refused at its place, others are not', () => {
  const lossy = [
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '1152921504606846976',
  ]
  for (const number of lossy) {
    assert.equal(codeOf(number), 'invalid_request', number)
    const text = `{"a":"9007199254740993\\"","b":[1, ${number} ]}`
    assert.throws(() => parse(text), /at \/b\/1 is a number that an IEEE 754 double cannot hold/)
  }
  const exact = [
    '9007199254740992',
    '-9007199254740991',
    '100000000000000000000',
    '1152921504606847000',
  ]
  const fractions = ['0.12345678901234567890', '1.2345678901234567890e5', '1E16', '1e+20']
  for (const number of [...exact, ...fractions]) assert.equal(parse(number), JSON.parse(number))
  for (const text of [
    '"9007199254740993"',
    '{"9007199254740993":"\\\\"}',
    '["\\"9007199254740993"]',
  ]) {
    assert.deepEqual(parse(text), JSON.parse(text))
  }
  assert.equal(codeOf('"9007199254740993'), 'invalid_json')
  assert.equal(codeOf('9007199254740993 x'), 'invalid_json')
})

test('integers of any length are given back as they came, or refused', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (integer) => {
      const text = String(integer)
      if (codeOf(text) === 'accepted') assert.equal(JSON.stringify(parse(text)), text)
      else assert.ok(integer > 2n ** 53n || integer < -(2n ** 53n), text)
    }),
  )
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
