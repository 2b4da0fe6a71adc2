import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CheckedIssue,
  CheckTurns,
  newCheckedRequest,
  type StepAllowance,
} from './check-turns.js'
import { CHECK_STEPS_MAX, QUICK_CHECK_STEPS_MAX, REQUEST_CHECK_STEPS_MAX } from './limits.js'

function setup() {
  const state = { isStopping: false, checks: 0 }
  const turns = new CheckTurns(() => state.isStopping)
  const response = { destroyed: false }
  const request = newCheckedRequest(response)
  /** A check of a value that fits, and takes so many steps. */
  const job =
    (steps: number) =>
    (allowance: StepAllowance): CheckedIssue | null => {
      state.checks += 1
      allowance.left -= Math.min(steps, allowance.left)
      return allowance.left > 0 ? null : { path: '', message: 'too many', ranOut: true }
    }
  const codeOf = (steps: number) =>
    turns.run(request, job(steps)).then(
      (issue) => issue?.message ?? 'fits',
      (error: { code: string }) => error.code,
    )
  return { state, turns, response, request, job, codeOf }
}

const CHEAP = QUICK_CHECK_STEPS_MAX - 1

test('the dear jobs of a request share its steps, and its cheap jobs are checked whatever those took', async () => {
  const { codeOf } = setup()
  const dear = CHECK_STEPS_MAX - 1
  const fitting = Math.floor(REQUEST_CHECK_STEPS_MAX / dear)
  const jobs = Array.from({ length: fitting + 2 }, () => dear)
  const codes = await Promise.all(
    [...jobs, ...Array.from({ length: 1000 }, () => CHEAP)].map(codeOf),
  )
  const dearCodes = codes.slice(0, jobs.length)
  assert.deepEqual(
    dearCodes.map((code) => code === 'fits'),
    jobs.map((_, index) => index < fitting),
  )
  assert.equal(dearCodes.at(-1), 'payload_too_large')
  assert.ok(codes.slice(jobs.length).every((code) => code === 'fits'))
})

test('a job that is too dear for any request is told so as before', async () => {
  const { codeOf } = setup()
  assert.equal(await codeOf(CHECK_STEPS_MAX + 1), 'too many')
})

test('what is left of a request is not checked when its client has gone, or the node stops', async () => {
  for (const [code, end] of [
    ['request_timeout', ({ response }: ReturnType<typeof setup>) => (response.destroyed = true)],
    ['not_ready', ({ state }: ReturnType<typeof setup>) => (state.isStopping = true)],
  ] as const) {
    const all = setup()
    const codes = Promise.all(Array.from({ length: 3 }, () => all.codeOf(CHECK_STEPS_MAX - 1)))
    end(all)
    assert.deepEqual(await codes, [code, code, code])
    assert.equal(all.state.checks, 3, 'each was only begun')
  }
})

test('others are heard between two dear jobs, and a cheap job does not wait for them', async () => {
  const { turns, job, codeOf } = setup()
  const told: string[] = []
  const dear = ['first', 'second'].map((name) =>
    codeOf(CHECK_STEPS_MAX - 1).then(() => told.push(name)),
  )
  const other = newCheckedRequest({ destroyed: false })
  const heard = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
    await turns.run(other, job(CHEAP))
    told.push('cheap')
  })
  await Promise.all([...dear, heard])
  assert.ok(told.indexOf('cheap') < told.indexOf('second'), told.join())
})
