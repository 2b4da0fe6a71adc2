import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SpecIssue } from './issues.js'
import { planGraph, type StepGraph } from './step-graph.js'
import type { StepsSpec } from './submission.js'

function graphOf(steps: StepsSpec): { graph: StepGraph; issues: SpecIssue[] } {
  const issues: SpecIssue[] = []
  return { graph: planGraph(steps, undefined, issues), issues }
}

/** Steps by name and written needs. */
function stepsNeeding(needs: Readonly<Record<string, readonly string[]>>): StepsSpec {
  return Object.fromEntries(
    Object.entries(needs).map(([name, list]) => [name, { service: 'x', needs: [...list] }]),
  )
}

function issueOf(steps: StepsSpec): SpecIssue {
  const [issue] = graphOf(steps).issues
  assert.ok(issue !== undefined, 'an issue is found')
  return issue
}

test('steps stand behind what they need, otherwise as they were written', () => {
  const { graph, issues } = graphOf(
    stepsNeeding({ d: ['b', 'c'], b: ['a'], c: ['a'], a: [], e: [] }),
  )
  assert.deepEqual(issues, [])
  assert.deepEqual(graph.order, ['a', 'e', 'b', 'c', 'd'])
})

test('a pointer into a step implies that it is needed, once', () => {
  const { graph } = graphOf({
    a: { service: 'x' },
    b: { service: 'x', forEach: { $from: '/steps/a/output' } },
    c: {
      service: 'x',
      needs: ['a'],
      input: [{ $from: '/steps/a/output/x' }, { $from: '/steps/b/output' }],
    },
  })
  assert.deepEqual(graph.needs.get('b'), ['a'])
  assert.deepEqual(graph.needs.get('c'), ['a', 'b'])
})

test('a pointer in a literal or in a compensation implies nothing', () => {
  const { graph, issues } = graphOf({
    a: { service: 'x' },
    b: {
      service: 'x',
      input: { $literal: { $from: '/steps/a/output' } },
      compensate: { service: 'y', input: { $from: '/steps/b/output' } },
    },
  })
  assert.deepEqual(issues, [])
  assert.deepEqual(graph.needs.get('b'), [])
})

test('a cycle is shown as a walk that ends where it began', () => {
  const issue = issueOf(stepsNeeding({ start: [], a: ['start', 'b'], b: ['c'], c: ['b'] }))
  assert.deepEqual(issue, { path: '/steps/b', message: 'needs itself in the end: b → c → b' })
})

test('a step that needs itself, also by a pointer, is a cycle', () => {
  assert.match(issueOf(stepsNeeding({ a: ['a'] })).message, /a → a/)
  assert.match(
    issueOf({ a: { service: 'x', input: { $from: '/steps/a/output' } } }).message,
    /a → a/,
  )
})

test('unknown needs, by name or by pointer, are named with their place', () => {
  assert.equal(issueOf(stepsNeeding({ a: [], b: ['a', 'z'] })).path, '/steps/b/needs/1')
  assert.equal(
    issueOf({ a: { service: 'x', input: [{ $from: '/steps/z' }] } }).path,
    '/steps/a/input',
  )
  const issues: SpecIssue[] = []
  planGraph({ a: { service: 'x' } }, { $from: '/steps/z/output' }, issues)
  assert.deepEqual(
    issues.map((issue) => issue.path),
    ['/output'],
  )
})

test('names of prototype members are ordinary step names, except __proto__', () => {
  const { graph, issues } = graphOf(stepsNeeding({ constructor: [], toString: ['constructor'] }))
  assert.deepEqual(issues, [])
  assert.deepEqual(graph.order, ['constructor', 'toString'])
  assert.equal(issueOf(stepsNeeding({ a: ['hasOwnProperty'] })).path, '/steps/a/needs/0')
  assert.equal(issueOf(JSON.parse('{"__proto__": {"service": "x"}}')).path, '/steps/__proto__')
})

test('step names have a pattern and a length', () => {
  for (const name of ['a.b', 'a b', '', 'ä', 'a\nb', 'x'.repeat(65)]) {
    assert.equal(graphOf(stepsNeeding({ [name]: [] })).issues.length, 1, name)
  }
  assert.deepEqual(graphOf(stepsNeeding({ ['x'.repeat(64)]: [] })).issues, [])
})

test('what can never be a pointer into the job is refused', () => {
  const pointers = ['', 'input', '#/input', '/steps', '/input/~2', `/input/${'x'.repeat(2000)}`]
  for (const $from of pointers) {
    assert.equal(issueOf({ a: { service: 'x', input: { $from } } }).path, '/steps/a/input', $from)
  }
})

test('a thousand steps in one chain have an order', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `s${index}`)
  const chain = Object.fromEntries(names.map((name, i) => [name, i === 0 ? [] : [`s${i - 1}`]]))
  assert.deepEqual(graphOf(stepsNeeding(chain)).graph.order, names)
})

test('law: a graph has an order in which needs come first, or a step that reaches itself', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const anyNeeds = fc.record(
    Object.fromEntries(names.map((name) => [name, fc.subarray(names, { maxLength: 2 })])),
  )
  fc.assert(
    fc.property(anyNeeds, (needs) => {
      const { graph, issues } = graphOf(stepsNeeding(needs))
      if (names.some((name) => reaches(needs, name, name))) {
        assert.equal(issues.length, 1)
        return
      }
      assert.deepEqual([...graph.order].sort(), names)
      for (const [name, needed] of Object.entries(needs)) {
        for (const need of needed) {
          assert.ok(graph.order.indexOf(need) < graph.order.indexOf(name), `${need} before ${name}`)
        }
      }
    }),
    { numRuns: 500 },
  )
})

/** The dumb way: all walks of up to six steps. */
function reaches(needs: Record<string, string[]>, from: string, to: string): boolean {
  let front = needs[from] ?? []
  for (let walked = 0; walked < 6; walked += 1) {
    if (front.includes(to)) return true
    front = front
      .flatMap((name) => needs[name] ?? [])
      .filter((name, i, all) => all.indexOf(name) === i)
  }
  return false
}
