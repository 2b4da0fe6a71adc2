import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileUserSchema } from './user-schema.js'

function check(schema: unknown, value: unknown): string {
  const compiled = compileUserSchema(schema)
  if (!compiled.ok) return `refused: ${compiled.message}`
  const fault = compiled.check(value)
  return fault === null ? 'fits' : `${fault.path} ${fault.message}`.trim()
}

test('a fault names the place and the rule', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  assert.equal(check(schema, { n: 1 }), 'fits')
  assert.match(check(schema, { n: 1.5 }), /^\/n must be integer$/)
  assert.match(check(schema, {}), /required property 'n'/)
})

test('a pattern that takes a backtracking engine for ever is answered at once', () => {
  const schema = { type: 'string', pattern: '^(a+)+$' }
  const start = performance.now()
  assert.match(check(schema, `${'a'.repeat(50_000)}!`), /must match pattern/)
  assert.ok(performance.now() - start < 2_000)
})

test('what cannot be checked in linear time is refused, with what to do', () => {
  assert.match(check({ type: 'string', pattern: '(?=a)b' }, 'b'), /refused: .*look-around/)
})

test('values cannot steer the schema through $data', () => {
  const schema = { properties: { a: { const: { $data: '1/b' } } } }
  assert.match(check(schema, { a: 1, b: 1 }), /must be equal to constant/)
})

test('schemas that are huge, deep, cyclic, asynchronous or elsewhere are refused', () => {
  let deep: Record<string, unknown> = {}
  for (let level = 0; level < 40; level += 1) deep = { not: deep }
  const cyclic: Record<string, unknown> = { type: 'object' }
  cyclic['not'] = cyclic
  assert.match(check({ description: 'x'.repeat(70_000) }, 1), /refused: it is larger/)
  assert.match(check(deep, 1), /refused: it is nested/)
  assert.match(check(cyclic, 1), /refused: it is nested/)
  assert.match(check({ $async: true }, 1), /refused: \$async/)
  assert.match(check({ $ref: 'https://example.org/s.json' }, 1), /refused: can't resolve/)
  assert.match(check([], 1), /refused: a JSON Schema is an object/)
})

test('each pattern of a schema is its own', () => {
  const schema = { properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } }
  assert.equal(check(schema, { a: 'a', b: 'b' }), 'fits')
  assert.match(check(schema, { a: 'a', b: 'a' }), /^\/b must match pattern/)
})
