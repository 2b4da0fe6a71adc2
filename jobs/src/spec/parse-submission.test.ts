import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJobDefinition, parseSubmission } from './parse-submission.js'

function refusalOf(value: unknown): { code: string; paths: string[] } {
  const parsed = parseSubmission(value)
  assert.ok(!parsed.ok, `${JSON.stringify(value)} is refused`)
  return { code: parsed.code, paths: parsed.errors.map((error) => error.path) }
}

test('each of the three shapes is recognised by its member', () => {
  const submissions = [
    { service: 'test.echo', input: [1] },
    { steps: { a: { service: 'test.echo' } } },
    { job: 'order', input: null },
  ]
  const shapes = submissions.map((value) => {
    const parsed = parseSubmission(value)
    return parsed.ok ? parsed.shape : parsed.message
  })
  assert.deepEqual(shapes, ['service', 'steps', 'job'])
})

test('no shape, two shapes and what is no object are refused', () => {
  const bad = [{}, { service: 'a', job: 'b' }, { input: 1 }, [], [{ service: 'a' }], null, 'a', 7]
  for (const value of bad) assert.equal(refusalOf(value).code, 'invalid_request')
})

test('an unknown member is named by its path, at the top and inside of a step', () => {
  assert.deepEqual(refusalOf({ service: 'a', colour: 1 }), {
    code: 'unknown_field',
    paths: ['/colour'],
  })
  const steps = { a: { service: 'x', retry: { attempts: 2, 'tri/es': 3 } } }
  assert.deepEqual(refusalOf({ steps }), {
    code: 'unknown_field',
    paths: ['/steps/a/retry/tri~1es'],
  })
})

test('members of user data are never unknown', () => {
  assert.ok(parseSubmission({ service: 'a', input: { colour: { of: ['anything'] } } }).ok)
})

test('values of the wrong type are refused, not converted', () => {
  const table: [object, string][] = [
    [{ service: 5 }, '/service'],
    [{ service: 'a', retry: { attempts: '3' } }, '/retry/attempts'],
    [{ service: 'a', retry: { attempts: 0 } }, '/retry/attempts'],
    [{ service: 'a', retry: { attempts: 1.5 } }, '/retry/attempts'],
    [{ service: 'a', retry: { jitter: 'true' } }, '/retry/jitter'],
    [{ service: 'a', retry: { factor: 0.5 } }, '/retry/factor'],
    [{ service: '' }, '/service'],
    [{ service: 'a b' }, '/service'],
    [{ service: 'a', priority: 10 }, '/priority'],
    [{ service: 'a', priority: -1 }, '/priority'],
    [{ job: 'a', priority: '9' }, '/priority'],
    [{ steps: { a: { service: 'x' } }, priority: 2.5 }, '/priority'],
    [{ steps: {} }, '/steps'],
    [{ steps: [] }, '/steps'],
    [{ steps: { a: { service: 'x', timeout: 'soon' } } }, '/steps/a/timeout'],
    [{ steps: { a: { service: 'x', collect: 'all' } } }, '/steps/a/collect'],
    [{ steps: { a: { service: 'x', needs: 'b' } } }, '/steps/a/needs'],
    [{ steps: { a: { service: 'x', concurrency: 0 } } }, '/steps/a/concurrency'],
  ]
  for (const [value, path] of table) {
    assert.deepEqual(refusalOf(value), { code: 'invalid_request', paths: [path] })
  }
})

test('both forms of a wrong duration are told in one message', () => {
  const parsed = parseSubmission({ steps: { a: { service: 'x', timeout: true } } })
  assert.ok(!parsed.ok)
  assert.equal(parsed.errors[0]?.message, 'must be integer, or must be string')
})

test('members are told as unknown also where there are more than the validator lists', () => {
  const members = Array.from({ length: 1000 }, (_, index) => [`m${index}`, 1])
  const { code, paths } = refusalOf({ service: 'a', ...Object.fromEntries(members) })
  assert.equal(code, 'unknown_field')
  assert.equal(paths[0], '/m0')
})

test('a job definition may carry members that this version does not know', () => {
  const definition = { name: 'order', steps: { a: { service: 'x' } }, kind: 'job' }
  assert.ok(parseJobDefinition(definition).ok)
  assert.ok(!parseJobDefinition({ name: 'order' }).ok)
})

test('a label whose key is not allowed is told once, at its place', () => {
  for (const key of ['', '-x']) {
    const parsed = parseSubmission({ service: 'a', labels: { [key]: 'x' } })
    assert.deepEqual(parsed.ok ? [] : parsed.errors?.map(({ path }) => path), [`/labels/${key}`])
  }
})
