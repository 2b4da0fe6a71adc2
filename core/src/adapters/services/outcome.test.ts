import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorOf, messageOf, outputText, withoutPaths } from './outcome.js'

const codeOf = (output: unknown): string => {
  const text = outputText(output)
  return text.ok ? text.text.slice(0, 40) : text.error.code
}

test('undefined becomes null, and plain data stays what it is', () => {
  assert.equal(codeOf(undefined), 'null')
  assert.equal(codeOf({ a: [1, 'x', null] }), '{"a":[1,"x",null]}')
})

test('an output that is not JSON fails as output_invalid, for good', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const hostile = {
    get trap(): never {
      throw new Error('no')
    },
  }
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no')
      },
    },
  )
  for (const output of [1n, cyclic, hostile, proxy, () => 1, Symbol('x')]) {
    assert.equal(codeOf(output), 'output_invalid')
  }
})

test('an output with a member __proto__ fails as output_invalid, wherever it stands', () => {
  for (const text of ['{"__proto__":1}', '[{"a":1,"__proto__":{}}]', '{"a":{"__proto__":null}}']) {
    assert.equal(codeOf(JSON.parse(text)), 'output_invalid', text)
  }
  const harmless = { a: '__proto__', b: ['{"__proto__":1}', ',"__proto__":'], '{"__proto__': 1 }
  assert.equal(outputText(harmless).ok, true)
})

test('an output is refused one byte past 256 KiB', () => {
  assert.equal(outputText('x'.repeat(256 * 1024 - 2)).ok, true)
  assert.equal(codeOf('x'.repeat(256 * 1024 - 1)), 'output_too_large')
  assert.equal(codeOf('é'.repeat(128 * 1024)), 'output_too_large')
})

test('an output may be 64 deep and no deeper; brackets in strings do not count', () => {
  const nest = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  assert.equal(outputText(nest(64)).ok, true)
  assert.equal(codeOf(nest(65)), 'output_invalid')
  assert.equal(outputText('["\\'.repeat(1000)).ok, true)
})

test('any thrown value becomes a plain error, whatever it does when it is looked at', () => {
  const trap = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('never look')
    },
  })
  for (const thrown of [trap, undefined, null, 5, 10n, Symbol('s'), {}, Object.create(null)]) {
    const error = errorOf(thrown)
    assert.equal(error.code, 'service_failed')
    assert.equal(error.retryable, true)
    assert.equal(typeof error.message, 'string')
  }
})

test('a ServiceError is known by its shape and keeps code, message, details', () => {
  const thrown = {
    name: 'ServiceError',
    code: 'sold_out',
    message: 'none left',
    retryable: false,
    details: { sku: 'a' },
  }
  const { name: _name, ...expected } = thrown
  assert.deepEqual(errorOf(thrown), expected)
})

test('details that are too large or hostile cost the details, or the code, never the report', () => {
  const base = { name: 'ServiceError', code: 'c', message: 'm', retryable: false }
  assert.deepEqual(errorOf({ ...base, details: { x: 'y'.repeat(9000) } }), {
    code: 'c',
    message: 'm',
    retryable: false,
  })
  assert.deepEqual(errorOf({ ...base, details: JSON.parse('{"__proto__":1}') }), {
    code: 'c',
    message: 'm',
    retryable: false,
  })
  assert.equal(errorOf({ ...base, details: { x: 1n } }).details, undefined)
  assert.equal(errorOf({ ...base, code: 'Not A Code' }).code, 'service_failed')
})

test('messages name files, not where they stand on the host', () => {
  assert.equal(withoutPaths("open '/home/me/data/a.txt'"), "open '…/a.txt'")
  assert.equal(withoutPaths('at file:///srv/app/x.js:3'), 'at x.js:3')
  assert.equal(withoutPaths('see https://example.org/a/b'), 'see https://example.org/a/b')
  assert.equal(withoutPaths('either/or and/or 1/2/3'), 'either/or and/or 1/2/3')
  assert.equal(messageOf(new Error('x'.repeat(1e6))).length <= 8_000, true)
})
