import assert from 'node:assert/strict'
import { test } from 'node:test'
import { looksLikeDefinition, readDefinition } from './definition.js'

const run = (): null => null
const complaint = (members: Record<string, unknown>): string => {
  const definition = readDefinition(members)
  return definition.kind === 'invalid' ? definition.message : 'valid'
}

test('a service needs a name and run, and gets the defaults of the rest', () => {
  const definition = readDefinition({ name: 'a.b', run })
  assert.equal(definition.kind, 'service')
  if (definition.kind !== 'service') return
  assert.deepEqual(definition.service.offer, {
    name: 'a.b',
    version: '0.0.0',
    timeoutMs: 60_000,
    concurrency: 64,
    compensates: false,
  })
})

test('each wrong member is named, with what was expected and what was found', () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['name', 5],
    ['name', '../x'],
    ['version', 1],
    ['timeout', '10 apples'],
    ['timeout', 0],
    ['retry', { attempts: 0 }],
    ['retry', 3],
    ['concurrency', 0],
    ['concurrency', 1.5],
    ['requires', { cpu: 'much' }],
    ['labels', { region: 1 }],
    ['isolation', 'process'],
    ['compensate', 'undo'],
    ['memoize', true],
    ['memoize', 0],
    ['memoize', '366d'],
  ]
  for (const [member, value] of wrong) {
    const message = complaint({ name: 'a', run, [member]: value })
    assert.match(message, new RegExp(`wrong "${member}": expected .*, got `), member)
  }
})

test('a service offers for how long its results are shared, and never beside a compensation', () => {
  const definition = readDefinition({ name: 'a', run, memoize: '1h' })
  assert.equal(definition.kind === 'service' && definition.service.offer.memoizeMs, 3_600_000)
  const both = complaint({ name: 'a', run, memoize: '1h', compensate: run })
  assert.match(both, /both "memoize" and "compensate"/)
})

test('a schema that does not compile, or is no object, is named by its member', () => {
  assert.match(complaint({ name: 'a', run, input: true }), /"input"/)
  assert.match(complaint({ name: 'a', run, output: { type: 'strin' } }), /"output"/)
})

test('run and steps together, or neither, is refused', () => {
  assert.match(complaint({ name: 'a', run, steps: {} }), /both "run" and "steps"/)
  assert.match(complaint({ name: 'a', input: {} }), /neither "run"/)
})

test('an unknown member is allowed and warned of, so that newer plugins load on older nodes', () => {
  const definition = readDefinition({ name: 'a', run, timout: '5s' })
  assert.equal(definition.kind, 'service')
  if (definition.kind === 'service') assert.match(definition.warnings.join(), /"timout"/)
})

test('a job with a cycle is refused when it is loaded', () => {
  const steps = { a: { service: 's', needs: ['b'] }, b: { service: 's', needs: ['a'] } }
  assert.match(complaint({ name: 'a', steps }), /not a valid job/)
  assert.equal(complaint({ name: 'a', steps: { a: { service: 's' } } }), 'valid')
})

test('what looks like no definition is left alone', () => {
  for (const value of [null, 1, 'run', [], {}, { name: 'x' }, run]) {
    assert.equal(looksLikeDefinition(value), false)
  }
})

test('handlers keep their `this`', () => {
  const definition = readDefinition({
    name: 'a',
    greeting: 'hi',
    run(this: { greeting: string }) {
      return this.greeting
    },
  })
  assert.equal(definition.kind, 'service')
  if (definition.kind === 'service') {
    assert.equal(definition.service.run(null, {} as never), 'hi')
  }
})

test('a module that exports a service by the name "run" is no definition itself', () => {
  assert.equal(looksLikeDefinition({ run: { name: 'a', run } }), false)
  assert.equal(looksLikeDefinition({ run }), true)
  assert.equal(looksLikeDefinition({ name: 'a', run: 5 }), true)
})
