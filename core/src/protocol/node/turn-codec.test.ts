import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../base/assert.js'
import { decodeTurn, encodeTurn } from './turn-codec.js'

const MESSAGE = fc.record(
  {
    kind: fc.string(),
    arc: fc.nat(),
    reply: fc.jsonValue({ noUnicodeString: false }),
    body: fc.string({ unit: 'binary' }),
  },
  { requiredKeys: ['kind', 'arc'] },
)

test('every message of a turn comes out as it went in, bodies with their heads', () => {
  fc.assert(
    fc.property(fc.array(MESSAGE), (messages) => {
      const plain: unknown = JSON.parse(JSON.stringify(messages))
      assert.deepEqual(decodeTurn(structuredClone(encodeTurn(messages))), plain)
    }),
    { numRuns: 300, verbose: true },
  )
})

test('a body travels beside its head, untouched', () => {
  const turn = encodeTurn([
    { kind: 'entry', index: 7, body: '{"a":"\\u00e9"}' },
    { kind: 'applied', index: 7 },
    { kind: 'reply', body: '' },
  ])
  assert.deepEqual(turn, [
    '[{"kind":"entry","index":7,"body":0},{"kind":"applied","index":7},{"kind":"reply","body":0}]',
    '{"a":"\\u00e9"}',
    '',
  ])
})

test('a message is not changed by being sent', () => {
  const message = { kind: 'entry', body: '{}' }
  encodeTurn([message])
  assert.deepEqual(message, { kind: 'entry', body: '{}' })
})

test('a turn of the wrong shape is a bug of ours', () => {
  const wrong: unknown[] = [
    undefined,
    'x',
    [],
    ['{}'],
    ['[1]'],
    ['[{"body":0}]', 'x'],
    ['[{"kind":"a","body":0}]'],
    ['[{"kind":"a"}]', 'left over'],
    ['[{"kind":"a","body":"inline"}]'],
    ['[{"kind":"a","body":"inline"}]', 'beside'],
    ['[{"kind":"a","body":0}]', 5],
  ]
  for (const turn of wrong) {
    assert.throws(() => decodeTurn(turn), AssertionError, JSON.stringify(turn))
  }
})

test('a body that is no string is a bug of ours', () => {
  assert.throws(() => encodeTurn([{ kind: 'entry', body: { t: 1 } }]), AssertionError)
})
