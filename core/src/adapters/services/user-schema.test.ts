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

/** Each level tries both branches, which both look at the level below: twice the work with each. */
const DOUBLING = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      oneOf: [
        { type: 'integer' },
        { type: 'object', properties: { arg: { $ref: '#/$defs/node' }, op: { const: 'not' } } },
        { type: 'object', properties: { arg: { $ref: '#/$defs/node' }, op: { const: 'neg' } } },
      ],
    },
  },
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = { op: 'neg', arg: value }
  return value
}

test('a value that a schema tries again at each level is refused after a bounded number of steps', () => {
  assert.equal(check(DOUBLING, nested(12)), 'fits')
  assert.match(check(DOUBLING, nested(60)), /^takes more than \d+ steps to check: .*if and then$/)
  assert.equal(check(DOUBLING, nested(3)), 'fits', 'the next value has its own steps')
})

test('the largest values that fit into a body are checked by schemas that contain themselves', () => {
  const list = { $ref: '#/$defs/n', $defs: { n: { type: 'array', items: { $ref: '#/$defs/n' } } } }
  assert.equal(
    check(
      list,
      Array.from({ length: 87_000 }, () => []),
    ),
    'fits',
  )
  const kinds = ['list', 'range', 'set', 'integer'].map((kind) => ({ $ref: `#/$defs/${kind}` }))
  const union = {
    $ref: '#/$defs/any',
    $defs: {
      any: { anyOf: kinds },
      list: { type: 'array', items: { $ref: '#/$defs/any' } },
      range: { type: 'object', properties: { from: { $ref: '#/$defs/any' } } },
      set: { type: 'object', additionalProperties: { $ref: '#/$defs/any' } },
      integer: { type: 'integer' },
    },
  }
  const numbers = Array.from({ length: 131_000 }, () => 1)
  assert.equal(check(union, numbers), 'fits')
})

test('no $id runs as code, whatever it holds, and none takes the rules of schemas away', () => {
  const evil = 'x*/globalThis.ranAsCode=1;let vErrors = null;/*'
  for (const $id of [evil, 'https://x/*/y', 'https://x/**/y', '\u2028']) {
    assert.equal(check({ $id, type: 'integer' }, 1), 'fits', $id)
    assert.equal(check({ $id, type: 'integer' }, 'a'), 'must be integer', $id)
    const inner = { properties: { a: { $id, type: 'integer' } }, $ref: '#/properties/a' }
    check(inner, { a: 1 })
  }
  assert.equal('ranAsCode' in globalThis, false)
  const meta = { $id: 'https://json-schema.org/draft/2020-12/schema' }
  assert.match(check(meta, 1), /refused: its \$id is that of JSON Schema itself/)
  assert.equal(check({ type: 'integer' }, 1), 'fits')
})

test('duplicates are found by value, whatever the order of members, and no other pairs', () => {
  const schema = { type: 'array', uniqueItems: true }
  for (const fits of [[], [1, '1', [1], ['1'], '[1]', { a: 1 }, '{"a":1}', null, 'null', true]]) {
    assert.equal(check(schema, fits), 'fits', JSON.stringify(fits))
  }
  for (const equal of [
    [1, 1],
    [0, -0],
    ['a', 'a'],
    [null, null],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
  ]) {
    assert.equal(check(schema, equal), 'must NOT have duplicate items', JSON.stringify(equal))
  }
  assert.equal(check({ uniqueItems: false }, [1, 1]), 'fits')
})

test('unique items cost no more than reading them', () => {
  let looks = 0
  const items = Array.from({ length: 5_000 }, (_, id) => ({
    get id() {
      looks += 1
      return id
    },
  }))
  assert.equal(check({ type: 'array', uniqueItems: true }, items), 'fits')
  assert.ok(looks <= 2 * items.length, `${looks} looks at 5,000 items`)
})

test('a value for each item of which a schema has many alternatives is refused in bounded time as well', () => {
  const wide = (keyword: string) => ({
    items: { [keyword]: Array.from({ length: 1000 }, (_, value) => ({ const: value })) },
  })
  const numbers = Array.from({ length: 50_000 }, () => 999)
  for (const keyword of ['anyOf', 'oneOf']) {
    assert.match(check(wide(keyword), numbers), /^takes more than \d+ steps to check/)
    assert.equal(check(wide(keyword), numbers.slice(0, 300)), 'fits')
  }
  const patterns = Array.from({ length: 200 }, (_, n) => [`^k${n}$`, { type: 'integer' }])
  const members = Array.from({ length: 40_000 }, (_, n) => [`k${n}`, n])
  const value = Object.fromEntries(members)
  assert.match(
    check({ patternProperties: Object.fromEntries(patterns) }, value),
    /^takes more than \d+ steps to check/,
  )
})

test('a list of allowed values may be as long as it likes, and compares as JSON does', () => {
  const allowed = [...Array.from({ length: 9000 }, (_, n) => n), 'a', null, { x: 1, y: [2] }, [1]]
  const schema = { items: { enum: allowed } }
  assert.equal(
    check(
      schema,
      Array.from({ length: 43_000 }, () => 8999),
    ),
    'fits',
  )
  assert.equal(check(schema, ['a', null, { y: [2], x: 1 }, [1], 0]), 'fits')
  for (const other of ['0', '[1]', {}, { x: 1 }, false, [1, 2]]) {
    assert.equal(check(schema, [other]), '/0 must be equal to one of the allowed values')
  }
})

test('counting leaves what a schema means as it is, wherever schemas stand', () => {
  const closed = { properties: { a: {} }, additionalProperties: false }
  assert.match(check(closed, { gyreSteps: 1 }), /must NOT have additional properties: "gyreSteps"/)
  assert.equal(check({ const: { a: {} } }, { a: {} }), 'fits')
  assert.equal(check({ enum: [{ items: {} }] }, { items: {} }), 'fits')
  assert.equal(
    check({ properties: { enum: { type: 'integer' } } }, { enum: 'x' }),
    '/enum must be integer',
  )
  assert.equal(check({ properties: { const: { type: 'integer' } } }, { const: 1 }), 'fits')
  assert.equal(check({ $ref: '#/own/n', own: { n: { type: 'null' } } }, 1), 'must be null')
  assert.match(
    check({ unevaluatedProperties: false, properties: { a: {} } }, { b: 1 }),
    /unevaluated/,
  )
  assert.equal(check({ $defs: { n: { $anchor: 'n', type: 'null' } }, $ref: '#n' }, null), 'fits')
})

test('names of members that depend on others are no schemas, and are left as they are', () => {
  const schema = { dependentRequired: { card: ['address'] } }
  assert.equal(check(schema, { card: 1, address: 2 }), 'fits')
  assert.match(
    check(schema, { card: 1 }),
    /must have property address when property card is present/,
  )
})

test('a schema may contain itself by #, whether it has an ID or not', () => {
  const tree = { type: 'object', properties: { child: { $ref: '#' } } }
  for (const schema of [tree, { ...tree, $id: '' }, { ...tree, $id: 'https://example.org/tree' }]) {
    assert.equal(check(schema, { child: { child: {} } }), 'fits')
    assert.equal(check(schema, { child: { child: 1 } }), '/child/child must be object')
  }
})

test('a schema that comes back to itself without looking further into the value is refused', () => {
  const loop = { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }
  const endless = [
    { items: { $ref: '#/$defs/a' }, $defs: loop },
    { anyOf: [{ type: 'string' }, { $ref: '#/$defs/a' }], $defs: loop },
    JSON.parse('{"$anchor":"me","if":true,"then":{"oneOf":[{"$ref":"#me"}]}}'),
    { $id: 'urn:me', not: { $ref: 'urn:me' } },
    { dependentSchemas: { a: { $dynamicRef: '#' } } },
    { $ref: '#' },
    {
      $ref: '#/$defs/a',
      $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } },
    },
  ]
  for (const schema of endless) {
    assert.match(
      check(schema, 1),
      /^refused: it refers to itself .* take out "\S+"/,
      JSON.stringify(schema),
    )
  }
  const fine = [
    { type: 'integer', $defs: loop },
    { properties: { a: { $ref: '#' } } },
    {
      $ref: '#/$defs/n',
      $defs: { n: { anyOf: [{ type: 'integer' }, { items: { $ref: '#/$defs/n' } }] } },
    },
    {
      items: { $ref: '#/$defs/n' },
      $defs: { n: { $id: 'urn:n', allOf: [{ properties: { x: { $ref: '#' } } }] } },
    },
  ]
  for (const schema of fine) assert.equal(check(schema, 1), 'fits', JSON.stringify(schema))
})

test('a loop through other IDs is refused or a fault of the value, never a failure of the node', () => {
  const there = { $id: 'urn:x:there', $ref: 'urn:x:here' }
  const schema = { $id: 'urn:x:here', $ref: 'urn:x:there', $defs: { there } }
  assert.match(check(schema, 1), /^(refused|cannot be checked)/)
})

test('prices are multiples of a cent', () => {
  const cents = { multipleOf: 0.01 }
  for (let price = 0; price < 100_000; price += 37) assert.equal(check(cents, price / 100), 'fits')
  for (const price of [19.99, 0.07, 4.35, 1.1, 8.2, 1e21, -0.29, 0])
    assert.equal(check(cents, price), 'fits')
  for (const price of [19.995, 0.001, 1e-7, 4.3500001]) {
    assert.match(check(cents, price), /must be multiple of 0.01/)
  }
  assert.equal(check({ multipleOf: 3 }, 9), 'fits')
  assert.match(check({ multipleOf: 3 }, 10), /must be multiple of 3/)
  assert.equal(check({ multipleOf: 1e-300 }, 1e300), 'fits')
  assert.equal(check({ multipleOf: 2.5e-7 }, 1e-6), 'fits')
  assert.match(check({ multipleOf: 0 }, 1), /refused/)
})

test('a large automaton is no way to hold up a thread, whatever it reads', () => {
  const patterns = [
    '^([a-z]{0,1000},?)*$',
    '(a?b?){500}[ab]{500}c',
    '[ab]*a[ab]{500}$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ]
  let random = 1
  const letters = Array.from({ length: 260_000 }, () => {
    // Xorshift: no period that a cache of states could learn.
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    return 'ab'[random & 1]
  })
  const texts = [`${'a'.repeat(260_000)}!`, letters.join('')]
  for (const pattern of patterns) {
    for (const text of texts) {
      const begin = process.cpuUsage().user
      check({ pattern }, text)
      const ms = (process.cpuUsage().user - begin) / 1000
      assert.ok(ms < 2000, `${pattern} took ${ms} ms`)
    }
  }
  assert.match(check({ pattern: '[ab]*a[ab]{900}$' }, texts[1]), /takes more than .* steps/)
})

test('many short texts are read by a pattern of many states, and a pattern may have only so many', () => {
  const names = { items: { pattern: '^[^<>]{1,1000}$' } }
  assert.equal(
    check(
      names,
      Array.from({ length: 250 }, () => 'x'.repeat(1000)),
    ),
    'fits',
  )
  const huge = `^(${'[a-y]z'.repeat(100)}){100}$`
  assert.match(check({ pattern: huge }, 'a'), /refused: the pattern .* shorter repeats/)
})

test('no schema is tried uncounted, although references lead into the values of another', () => {
  const doublingAt = (at: string): unknown =>
    JSON.parse(JSON.stringify(DOUBLING.$defs.node).replaceAll('#/$defs/node', at))
  const hidden = [
    { $ref: '#/default', default: doublingAt('#/default') },
    { $ref: '#/$defs/a/const', $defs: { a: { const: doublingAt('#/$defs/a/const') } } },
    { $ref: '#/$defs/a/enum/0', $defs: { a: { enum: [doublingAt('#/$defs/a/enum/0')] } } },
    { $ref: '#/examples/0', examples: [doublingAt('#/examples/0')] },
    { $ref: '#/default', default: { gyreSteps: [-1e9, 0], type: 'integer' } },
  ]
  for (const schema of hidden) {
    assert.match(check(schema, nested(60)), /refused: can't resolve reference/)
  }
  assert.match(check({ gyreSteps: [-1e9, 0], ...DOUBLING }, nested(60)), /^takes more than/)
})

test('IDs that refer to each other do not send the compiler round in circles', () => {
  const circle = {
    $id: 'https://example.org/r',
    a: { $id: 'https://example.org/r#/b' },
    b: { $id: 'https://example.org/r#/a' },
    $ref: '#/a',
  }
  assert.match(check(circle, 1), /refused: the \$id .* holds a fragment/)
})

test('a name in one schema means nothing in the next', () => {
  const named = { $defs: { n: { $id: 'https://example.org/n', type: 'null' } } }
  const $ref = 'https://example.org/n'
  assert.equal(check({ ...named, $ref }, null), 'fits')
  assert.match(check({ $defs: { n: { type: 'integer' } }, $ref }, null), /refused: can't resolve/)
})

test('reading a large value once more with each part of a schema is counted by what is read', () => {
  const often = (length: number, part: (n: number) => unknown): unknown => ({
    allOf: Array.from({ length }, (_, n) => part(n)),
  })
  const text = 'a'.repeat(250_000)
  const items = Array.from({ length: 20_000 }, (_, n) => ({ n }))
  const numbers = Array.from({ length: 100_000 }, (_, n) => n)
  const tooMany = /^takes more than \d+ steps to check/
  assert.match(
    check(
      often(10, (n) => ({ pattern: `^[a-z]*${n}?a$` })),
      text,
    ),
    tooMany,
  )
  assert.match(
    check(
      often(400, (minLength) => ({ minLength })),
      text,
    ),
    tooMany,
  )
  assert.match(
    check(
      often(60, () => ({ uniqueItems: true })),
      items,
    ),
    tooMany,
  )
  assert.match(
    check(
      often(60, () => ({ uniqueItems: true })),
      numbers,
    ),
    tooMany,
  )
  assert.match(
    check(
      often(30, (n) => ({ not: { enum: [{ n }] } })),
      items,
    ),
    tooMany,
  )
  const digits = { items: { anyOf: Array.from({ length: 10 }, (_, n) => ({ pattern: `^${n}` })) } }
  const nines = Array.from({ length: 60_000 }, () => '9')
  assert.match(check(digits, nines), tooMany)
  assert.equal(check(digits, nines.slice(0, 20_000)), 'fits')
})

/** Steps that a check takes. */
function stepsOf(schema: unknown, value: unknown): number {
  const compiled = compileUserSchema(schema)
  assert.ok(compiled.ok)
  const allowance = { left: 5_000_000 }
  compiled.check(value, allowance)
  return 5_000_000 - allowance.left
}

test('what goes through all members of a value, and all of their names, is counted by them', () => {
  const names = Array.from({ length: 1000 }, (_, n) => `${n}`.padStart(160, 'n'))
  const value = Object.fromEntries(names.map((name) => [name, 1]))
  for (const [keyword, limit] of Object.entries({
    minProperties: 1,
    maxProperties: 2000,
    propertyNames: true,
    additionalProperties: { type: 'integer' },
    unevaluatedProperties: { type: 'integer' },
  })) {
    const steps = stepsOf({ [keyword]: limit }, value)
    assert.ok(steps >= 11_000, `${keyword}: ${steps} steps`)
  }
})

test('a format is counted as what it is, a regular expression', () => {
  assert.ok(stepsOf({ format: 'uri-reference' }, 'a'.repeat(10_000)) >= 5000)
})

test('multiples are counted by the digits that they are compared in', () => {
  assert.ok(stepsOf({ multipleOf: 0.01 }, 19.99) >= 20)
  assert.ok(stepsOf({ multipleOf: 3e-300 }, 1.5e300) >= 150)
  assert.ok(stepsOf({ multipleOf: 3 }, 9) < 3)
  const prices = Array.from({ length: 43_000 }, () => 19.99)
  assert.equal(check({ items: { multipleOf: 0.01 } }, prices), 'fits')
})

test('a constant of many members is not gone through for each small value', () => {
  const large = Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`k${n}`, n]))
  const values = Array.from({ length: 85_000 }, () => ({}))
  const begin = process.cpuUsage().user
  assert.equal(check({ items: { not: { const: large } } }, values), 'fits')
  const ms = (process.cpuUsage().user - begin) / 1000
  assert.ok(ms < 2000, `took ${ms} ms`)
})

test('of many alternatives that fail one error is kept: the first', () => {
  const leaf = { anyOf: Array.from({ length: 1000 }, () => ({ type: 'null' })) }
  const anyOf = Array.from({ length: 1000 }, () => ({ $ref: '#/$defs/leaf' }))
  assert.equal(check({ $defs: { leaf }, anyOf }, 5), 'must be null')
  const open = { if: { const: 'b' }, else: { type: 'string' } }
  const mixed = { allOf: [{ anyOf: [{ $ref: '#/$defs/leaf' }, open] }, { not: open }] }
  assert.equal(check({ $defs: { leaf }, ...mixed }, 'a'), 'must NOT be valid')
  assert.equal(check({ $defs: { leaf }, ...mixed }, 1), 'must be null')
  const some = { contains: { oneOf: [{ $ref: '#/$defs/leaf' }, { const: 'a' }] } }
  assert.equal(check({ $defs: { leaf }, ...some }, [1, 2, 'a']), 'fits')
  assert.equal(check({ $defs: { leaf }, ...some }, [1, 2]), 'must contain at least 1 valid item(s)')
})

test('a long list of alternatives is compiled in bounded time', () => {
  const oneOf = Array.from({ length: 1000 }, (_, n) => ({ const: n }))
  const begin = process.cpuUsage().user
  assert.equal(check({ oneOf }, 999), 'fits')
  const ms = (process.cpuUsage().user - begin) / 1000
  assert.ok(ms < 2000, `took ${ms} ms`)
  const twice = Array.from({ length: 2000 }, (_, n) => ({ const: n }))
  // It depends on the stack of the thread whether it can be; then every value can be checked.
  assert.match(check({ oneOf: twice }, 1999), /^(fits|refused: it is too large to be compiled.*)$/)
})

test('one pattern for each of the smallest or the longest texts that fit into a body is checked', () => {
  const schema = { anyOf: [{ pattern: '^[a-z]*$' }, { items: { pattern: '^[a-z]*$' } }] }
  assert.equal(check(schema, 'a'.repeat(262_000)), 'fits')
  assert.equal(
    check(
      schema,
      Array.from({ length: 87_000 }, () => ''),
    ),
    'fits',
  )
})

test('constants are compared as JSON is', () => {
  const wanted = { a: [1, { b: null }], c: 'x' }
  assert.equal(check({ const: wanted }, { c: 'x', a: [1, { b: null }] }), 'fits')
  for (const other of [
    { a: [1, { b: null }] },
    { a: [1, { b: null }], c: 'y' },
    { a: [1, { b: null }], d: 'x' },
    { a: { 0: 1, 1: { b: null } }, c: 'x' },
    [],
    null,
    'x',
  ]) {
    assert.equal(check({ const: wanted }, other), 'must be equal to constant')
  }
  assert.equal(check({ const: null }, null), 'fits')
  assert.equal(check({ const: 0 }, -0), 'fits')
  assert.equal(check({ const: '1' }, 1), 'must be equal to constant')
})
