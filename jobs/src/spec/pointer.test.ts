import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatPointer, getAt, parsePointer } from './pointer.js'

/** The document and the table of RFC 6901, section 5. */
const RFC_DOCUMENT = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

function at(root: unknown, pointer: string): unknown {
  const tokens = parsePointer(pointer)
  assert.ok(tokens !== null, `${pointer} is a pointer`)
  return getAt(root, tokens)
}

test('RFC 6901 section 5: each example gives the value of the table', () => {
  const table: [string, unknown][] = [
    ['', RFC_DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ]
  for (const [pointer, value] of table) assert.deepEqual(at(RFC_DOCUMENT, pointer), value, pointer)
})

test('text without a leading slash or with a stray tilde is no pointer', () => {
  for (const text of ['input', '#/input', '/a~', '/a~2b', ' /a']) {
    assert.equal(parsePointer(text), null, text)
  }
})

test('a pointer reaches own members only', () => {
  const pointers = ['/constructor', '/__proto__', '/toString', '/s/length', '/list/length']
  for (const pointer of pointers) {
    assert.equal(at({ s: 'text', list: [1] }, pointer), undefined, pointer)
  }
  assert.equal(at(JSON.parse('{"__proto__": 7}'), '/__proto__'), 7)
})

test('array indexes have no sign, no leading zero and no dash', () => {
  for (const index of ['-', '-1', '+1', '01', '1.0', '1e0', '', ' 1', '3']) {
    assert.equal(at([10, 11, 12], `/${index}`), undefined, index)
  }
  assert.equal(at([10, 11, 12], '/2'), 12)
})

test('parsing gives back what formatting was given', () => {
  const tokens = fc.array(fc.oneof(fc.string(), fc.constantFrom('~1', '~0', '/', '~', '')))
  fc.assert(
    fc.property(tokens, (list) => assert.deepEqual(parsePointer(formatPointer(list)), list)),
  )
})
