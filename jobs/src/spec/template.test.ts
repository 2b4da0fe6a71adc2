import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json } from './json.js'
import { pointersIn, resolveTemplate, type TemplateScope } from './template.js'

const SCOPE: TemplateScope = {
  input: { sku: 'A1', list: [1, 2], nothing: null },
  steps: { reserve: { output: { id: 'r-9' } } },
  item: { page: 3 },
  index: 0,
  job: { id: 'ab'.repeat(16) },
}

function valueOf(template: Json, scope: TemplateScope = SCOPE): Json {
  const resolution = resolveTemplate(template, scope)
  assert.ok(resolution.ok, JSON.stringify(resolution))
  return resolution.value
}

test('a pointer is replaced by the value it leads to, wherever it stands', () => {
  const template = {
    a: [{ $from: '/input/sku' }, { deep: { $from: '/steps/reserve/output/id' } }],
    page: { $from: '/item/page' },
    index: { $from: '/index' },
    job: { $from: '/job/id' },
    nothing: { $from: '/input/nothing' },
  }
  assert.deepEqual(valueOf(template), {
    a: ['A1', { deep: 'r-9' }],
    page: 3,
    index: 0,
    job: SCOPE.job.id,
    nothing: null,
  })
})

test('a literal is given as it is, also when it looks like a template', () => {
  const literal = { $from: '/input/sku', $literal: { $from: '/nowhere' } }
  assert.deepEqual(valueOf({ $literal: literal }), literal)
  assert.equal(valueOf({ $literal: null }), null)
})

test('$from and $literal beside other members are plain data', () => {
  const data = [
    { $from: '/input/sku', more: 1 },
    { $literal: 1, more: { $from: 5 } },
  ]
  assert.deepEqual(valueOf(data), data)
  assert.deepEqual(pointersIn(data), [])
})

test('what a pointer brings in is not evaluated again', () => {
  const input = { evil: { $from: '/steps/secret/output' } }
  assert.deepEqual(valueOf({ $from: '/input/evil' }, { ...SCOPE, input }), input.evil)
})

test('the first pointer that leads nowhere is named', () => {
  const template = {
    a: { $from: '/input/sku' },
    b: { $from: '/input/no' },
    c: { $from: '/item/no' },
  }
  assert.deepEqual(resolveTemplate(template, SCOPE), { ok: false, pointer: '/input/no' })
})

test('a pointer that leads nowhere is null where the caller says so', () => {
  const template = { id: { $from: '/steps/charge/output/id' }, sku: { $from: '/input/sku' } }
  const resolution = resolveTemplate(template, SCOPE, { missing: 'null' })
  assert.deepEqual(resolution, { ok: true, value: { id: null, sku: 'A1' } })
})

test('item and index lead nowhere outside of a forEach', () => {
  const { input, steps, job } = SCOPE
  for (const pointer of ['/item', '/index']) {
    assert.deepEqual(resolveTemplate({ $from: pointer }, { input, steps, job }), {
      ok: false,
      pointer,
    })
  }
})

test('pointers never reach a prototype', () => {
  for (const pointer of [
    '/constructor',
    '/input/__proto__',
    '/steps/toString',
    '/input/list/length',
  ]) {
    assert.deepEqual(resolveTemplate({ $from: pointer }, SCOPE), { ok: false, pointer })
  }
})

test('a __proto__ member stays an own member and changes no prototype', () => {
  const template = JSON.parse('{"__proto__": {"polluted": {"$from": "/input/sku"}}}')
  const value = valueOf(template)
  assert.equal(JSON.stringify(value), '{"__proto__":{"polluted":"A1"}}')
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('pointersIn finds what resolve reads, and nothing in literals', () => {
  const template = [{ $from: '/a' }, { x: { $from: '/b' }, y: { $literal: { $from: '/c' } } }]
  assert.deepEqual(pointersIn(template), ['/a', '/b'])
})

test('JSON without templates resolves to itself', () => {
  const plain = fc
    .jsonValue({ maxDepth: 6 })
    .filter((value) => !JSON.stringify(value).includes('$'))
  fc.assert(
    fc.property(plain, (value) => {
      assert.equal(JSON.stringify(valueOf(value as Json)), JSON.stringify(value))
    }),
  )
})

test('any JSON resolves to itself when it is a literal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(JSON.stringify(valueOf({ $literal: value as Json })), JSON.stringify(value))
    }),
  )
})
