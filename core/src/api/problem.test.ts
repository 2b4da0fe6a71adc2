import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROBLEM_CODES, problemKind } from './error-mapping.js'
import { Problem, problemOf } from './problem.js'

const BAD_REQUESTS = PROBLEM_CODES.filter((code) => problemKind(code).status === 400)

test('every problem of status 400 says what is wrong where', () => {
  assert.ok(BAD_REQUESTS.length >= 9)
  for (const code of BAD_REQUESTS) {
    for (const problem of [
      new Problem(code, 'it is wrong'),
      new Problem(code, 'it is wrong', { errors: [] }),
      problemOf({ code, message: 'it is wrong' }),
    ]) {
      assert.deepEqual(problem.toBody()['errors'], [{ path: '', message: 'it is wrong' }], code)
    }
    const located = new Problem(code, 'it is wrong', { at: 'If-Match' })
    assert.deepEqual(located.toBody()['errors'], [{ path: 'If-Match', message: 'it is wrong' }])
  }
})

test('other problems have errors only when they are given', () => {
  assert.equal(new Problem('job_not_found', 'gone').toBody()['errors'], undefined)
})

test('what an engine in trouble says is a problem with a time to wait', () => {
  const problem = problemOf({ code: 'apply_stopped', message: 'the state cannot be written' })
  assert.equal(problem.status, 503)
  assert.equal(problem.headers['retry-after'], '1')
  assert.equal(problemOf({ code: 'payload_too_large', message: 'too large' }).status, 413)
})
