import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, FIRST_INSTANT, LedgerHarness } from '../testing/ledger-harness.js'
import { ONCE, planOf, retry } from '../testing/plans.js'
import { checkRows } from '../testing/row-invariants.js'
import type { JobsQuery, Query } from '../query.js'

function bodyOf(ledger: LedgerHarness, query: Query): ReturnType<typeof JSON.parse> {
  const reply = ledger.query(query)
  assert.equal(reply.ok, true, JSON.stringify(reply))
  return JSON.parse((reply.ok && reply.body) || '')
}

/** Five jobs, a millisecond apart: one each succeeded, failed, queued, running and waiting. */
function fiveJobs(): { ledger: LedgerHarness; ids: Record<string, string> } {
  const ledger = new LedgerHarness()
  const ids: Record<string, string> = {}
  const submit = (name: string, slots?: Record<string, number>): void => {
    const plan = { ...planOf({ main: { retry: retry(name === 'failed' ? 1 : 2) } }), job: name }
    ids[name] = ledger.submit(plan, slots === undefined ? {} : { slots })
    ledger.now += 1
  }
  submit('succeeded')
  ledger.succeed('main')
  submit('failed')
  ledger.fail('main')
  submit('waiting')
  ledger.fail('main')
  submit('running')
  submit('queued', {})
  return { ledger, ids }
}

function listed(ledger: LedgerHarness, filter: Partial<JobsQuery>): string[] {
  const { items } = bodyOf(ledger, { kind: 'jobs', limit: 10, ...filter })
  return items.map((item: { job: string }) => item.job)
}

test('jobs are listed newest first, whatever their status', () => {
  const { ledger } = fiveJobs()
  assert.deepEqual(listed(ledger, {}), ['queued', 'running', 'waiting', 'failed', 'succeeded'])
})

test('lists are filtered by status, by name and by time', () => {
  const { ledger } = fiveJobs()
  for (const status of ['queued', 'running', 'waiting', 'failed', 'succeeded']) {
    assert.deepEqual(listed(ledger, { status }), [status])
    assert.deepEqual(listed(ledger, { job: status }), [status])
  }
  assert.deepEqual(listed(ledger, { status: 'nonsense' }), [])
  assert.deepEqual(listed(ledger, { createdAfter: FIRST_INSTANT + 3 }), ['queued', 'running'])
  assert.deepEqual(listed(ledger, { createdBefore: FIRST_INSTANT + 1 }), ['succeeded'])
})

test('jobs are found by their labels, all of those named, and show them', () => {
  const ledger = new LedgerHarness()
  const submit = (labels: Record<string, string>): string => {
    ledger.now += 1
    return ledger.submit(planOf({ main: {} }), { labels })
  }
  const both = submit({ team: 'a/b', env: 'live' })
  const one = submit({ team: 'a/b', env: 'test' })
  submit({ team: 'a' })
  const find = (labels: Record<string, string>): string[] => {
    const { items } = bodyOf(ledger, { kind: 'jobs', limit: 10, labels })
    return items.map(({ id }: { id: string }) => id)
  }
  assert.deepEqual(find({ team: 'a/b' }), [one, both])
  assert.deepEqual(find({ team: 'a/b', env: 'live' }), [both])
  assert.deepEqual(find({ team: 'a/b', env: 'none' }), [])
  assert.deepEqual(ledger.job(both)['labels'], { team: 'a/b', env: 'live' })
})

test('jobs that an earlier version stored are found and counted by name after the next start', () => {
  const { ledger } = fiveJobs()
  // As that version left them: neither index rows nor counters by name.
  for (const { key } of ledger.allRows()) if (/^(n|c\/n)\//.test(key)) ledger.rows.delete(key)
  assert.deepEqual(listed(ledger, { job: 'failed' }), [])
  ledger.apply({ kind: 'term-start' })
  assert.deepEqual(listed(ledger, { job: 'failed' }), ['failed'])
  assert.deepEqual(bodyOf(ledger, { kind: 'job-counts', job: 'failed' }).counts, { failed: 1 })
  checkRows(ledger.rows)
})

test('pages of a list join without a gap or a repeat', () => {
  const { ledger } = fiveJobs()
  const seen: string[] = []
  for (let before: JobsQuery['before']; ; ) {
    const { items } = bodyOf(ledger, { kind: 'jobs', limit: 2, ...(before ? { before } : {}) })
    seen.push(...items.map((item: { job: string }) => item.job))
    const last = items.at(-1)
    if (items.length < 2) break
    before = { createdAt: Date.parse(last.createdAt), id: last.id }
  }
  assert.deepEqual(seen, ['queued', 'running', 'waiting', 'failed', 'succeeded'])
})

test('jobs of the same millisecond are told apart by their IDs', () => {
  const ledger = new LedgerHarness()
  const ids = [1, 2, 3].map(() => ledger.submit(planOf({ main: {} })))
  const first = bodyOf(ledger, { kind: 'jobs', limit: 2 }).items
  const before = { createdAt: ledger.now, id: first[1].id }
  const rest = bodyOf(ledger, { kind: 'jobs', limit: 2, before }).items
  assert.deepEqual(
    [...first, ...rest].map(({ id }: { id: string }) => id),
    ids.sort().reverse(),
  )
})

test('a waiting job says what it waits for and until when', () => {
  const { ledger, ids } = fiveJobs()
  const { waitingFor } = bodyOf(ledger, { kind: 'job', id: ids['waiting'] ?? '' })
  // It failed a millisecond after it was submitted, at 2.
  const until = new Date(FIRST_INSTANT + 3 + 1000).toISOString()
  assert.deepEqual(waitingFor, { kind: 'retry', until })
})

test('the counts are those of the lists', () => {
  const { ledger } = fiveJobs()
  const one = { succeeded: 1, failed: 1, waiting: 1, running: 1, queued: 1 }
  assert.deepEqual(bodyOf(ledger, { kind: 'figures' }), { jobs: one, ready: { work: 1 } })
})

test('a job is shown with the members that clients know', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { service: 'text.count' } }), { input: { a: 1 } })
  ledger.now += 5
  ledger.succeed('main', 3)
  const job = bodyOf(ledger, { kind: 'job', id })
  const at = (ms: number): string => new Date(FIRST_INSTANT + ms).toISOString()
  assert.deepEqual(
    { ...job, steps: job.steps.length },
    {
      id,
      job: null,
      status: 'succeeded',
      cause: null,
      run: 1,
      priority: 5,
      labels: {},
      error: null,
      progress: { done: 1, total: 1 },
      waitingFor: null,
      createdAt: at(0),
      startedAt: at(0),
      finishedAt: at(5),
      runAt: null,
      startBy: null,
      timesOutAt: null,
      affinity: null,
      historyTruncated: false,
      input: { a: 1 },
      output: 3,
      steps: 1,
    },
  )
  const { task, ...step } = job.steps[0]
  assert.equal(task.slice(0, 4), id.slice(0, 4))
  const [startedAt, finishedAt] = [at(0), at(5)]
  assert.deepEqual(step, {
    name: 'main',
    service: 'text.count',
    status: 'succeeded',
    output: 3,
    error: null,
    attempts: [
      { attempt: 1, node: ledger.node, startedAt, finishedAt, outcome: 'succeeded', error: null },
    ],
    attemptCount: 1,
    lostAttempts: 0,
    compensation: null,
  })
})

test('a timeline of many rows is read page by page in order', () => {
  const ledger = new LedgerHarness()
  const plan = planOf({ each: { forEach: { items: { range: 50 } } } })
  const id = ledger.submit(plan)
  for (let index = 0; index < 50; index += 1) ledger.succeed('each', null, { index })
  const all = ledger.history(id)
  // submitted, items_found, 50 starts, 50 ends, step_succeeded, job_ended
  assert.deepEqual(
    all.map(({ seq }) => seq),
    Array.from({ length: 104 }, (_, position) => position + 1),
  )
  const page = bodyOf(ledger, { kind: 'history', id, after: 30, limit: 5 })
  assert.deepEqual(page.items, all.slice(30, 35))
  assert.equal(page.more, true)
  assert.equal(bodyOf(ledger, { kind: 'history', id, after: 99, limit: 5 }).more, false)
})

test('a page of a timeline ends early where the errors in it are long, and the next goes on behind it', () => {
  const ledger = new LedgerHarness()
  const items = { range: 30 }
  const id = ledger.submit(planOf({ each: { forEach: { items, onItemError: 'continue' } } }))
  const message = 'x'.repeat(20_000)
  const error = { code: 'broken', message, retryable: false }
  for (let index = 0; index < 30; index += 1) {
    ledger.end(ledger.attemptOf('each', { index }), { kind: 'failed', error })
  }
  const seen: number[] = []
  for (let after = 0, more = true, pages = 0; more; pages += 1) {
    const page = bodyOf(ledger, { kind: 'history', id, after, limit: 1000 })
    assert.ok(JSON.stringify(page).length < 200_000, 'the bound, and the event that passed it')
    assert.ok(pages < 100 && page.items.length > 0)
    seen.push(...page.items.map(({ seq }: { seq: number }) => seq))
    after = seen.at(-1) ?? 0
    more = page.more
  }
  assert.ok(seen.length > 60)
  assert.deepEqual(
    seen,
    Array.from({ length: seen.length }, (_, position) => position + 1),
  )
})

test('a timeline ends at 10,000 events, the job goes on, and its end is still told', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(
    planOf({ each: { forEach: { items: { range: 5000 }, collect: 'none' } } }),
  )
  for (let index = 0; index < 5000; index += 1) ledger.succeed('each', null, { index })
  const job = ledger.job(id)
  assert.equal(job.status, 'succeeded')
  assert.equal(job['historyTruncated'], true)
  const events = ledger.history(id)
  assert.equal(events.length <= 10_000, true)
  assert.equal(events.at(-1)?.type, 'job_ended')
})

test('only the newest hundred attempts of a step are shown, all are counted', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: retry(200, { delayMs: 0 }) } }))
  for (let attempt = 1; attempt < 130; attempt += 1) {
    ledger.fail('main')
    ledger.pass(0)
  }
  const { attempts, attemptCount } = ledger.step(id, 'main')
  assert.deepEqual([attempts.length, attempts[0]?.['attempt'], attemptCount], [100, 31, 130])
})

test('items are paged by index, those that never ran included', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 5 }, concurrency: 2 }
  const id = ledger.submit(planOf({ each: { forEach, retry: ONCE } }))
  ledger.succeed('each', 'out', { index: 0 })
  const first = bodyOf(ledger, { kind: 'items', id, step: 'each', after: -1, limit: 3 })
  assert.deepEqual(
    first.items.map(({ status }: { status: string }) => status),
    ['succeeded', 'running', 'running'],
  )
  assert.equal(first.items[0].output, 'out')
  assert.equal(first.more, true)
  const rest = bodyOf(ledger, { kind: 'items', id, step: 'each', after: 2, limit: 3 })
  assert.deepEqual(
    rest.items.map(({ index, status }: { index: number; status: string }) => [index, status]),
    [
      [3, 'waiting'],
      [4, 'waiting'],
    ],
  )
  assert.equal(rest.more, false)
  const missing = ledger.query({ kind: 'items', id, step: 'none', after: -1, limit: 3 })
  assert.equal(!missing.ok && missing.code, 'step_not_found')
})

test('peek finds a job, a task of a step, a task of an item, and nothing', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ a: {}, each: { forEach: { items: { range: 3 } } } }))
  const tasks = [...ledger.running.values()].map(({ task }) => task)
  assert.equal(bodyOf(ledger, { kind: 'peek', id }).kind, 'job')
  const found = tasks.map((task) => bodyOf(ledger, { kind: 'peek', id: task }).content)
  assert.deepEqual(
    found.map(({ step, index, job }) => [step, index, job]),
    [
      ['a', null, id],
      ['each', 0, id],
      ['each', 1, id],
      ['each', 2, id],
    ],
  )
  assert.equal(bodyOf(ledger, { kind: 'peek', id: 'f'.repeat(32) }).kind, 'nothing')
})

test('peek finds any of 100,000 items, also one that has not started, and none beyond them', () => {
  const ledger = new LedgerHarness()
  const forEach = { items: { range: 100_000 }, concurrency: 1 }
  const id = ledger.submit(planOf({ before: {}, each: { forEach } }))
  const items = { kind: 'items', id, step: 'each', after: 99_998, limit: 3 } as const
  const [last] = bodyOf(ledger, items).items
  const { kind, content } = bodyOf(ledger, { kind: 'peek', id: last.task })
  assert.deepEqual([kind, content.job, content.step, content.index], ['task', id, 'each', 99_999])
  const beyond = last.task.slice(0, -5) + (100_000).toString(16).padStart(5, '0')
  assert.equal(bodyOf(ledger, { kind: 'peek', id: beyond }).kind, 'nothing')
})

test('a job with large outputs shows what fills its view, the rest in short, and any step alone', () => {
  const ledger = new LedgerHarness()
  const names = Array.from({ length: 20 }, (_, n) => `s${n}`)
  const steps = Object.fromEntries(names.map((name) => [name, { retry: ONCE, compensate: true }]))
  const id = ledger.submit(planOf({ ...steps, last: { needs: names, retry: ONCE } }))
  for (const name of names) ledger.succeed(name, name + 'x'.repeat(250_000))
  const error = { code: 'broken', message: 'no', retryable: false, details: { much: 'x' } }
  ledger.end(ledger.attemptOf('last'), { kind: 'failed', error })
  const view = bodyOf(ledger, { kind: 'job', id })
  const whole = view.steps.filter(({ truncated }: { truncated?: true }) => truncated !== true)
  assert.equal(whole.length, 9)
  assert.equal(whole[8].output.slice(0, 3), 's8x')
  assert.ok(JSON.stringify(view).length < 3_000_000)
  const { task, compensation, ...cut } = view.steps[20]
  assert.deepEqual(cut, {
    ...{ name: 'last', service: 'work', status: 'failed', truncated: true },
    ...{ output: null, error: { code: 'broken', message: 'no', retryable: false } },
    ...{ attempts: [], attemptCount: 1, lostAttempts: 0 },
  })
  assert.deepEqual([task.length, compensation], [32, null])
  assert.equal(view.steps[19].compensation.status, 'running')
  const alone = bodyOf(ledger, { kind: 'step', id, step: 's15' })
  assert.deepEqual([alone.truncated, alone.output.slice(0, 4)], [undefined, 's15x'])
  assert.equal(alone.attempts.length, 1)
  assert.deepEqual(bodyOf(ledger, { kind: 'step', id, step: 'last' }).error, error)
  assert.deepEqual(bodyOf(ledger, { kind: 'step', id, step: 's0' }), view.steps[0])
  const missing = ledger.query({ kind: 'step', id, step: 'none' })
  assert.equal(!missing.ok && missing.code, 'step_not_found')
})

test('services are remembered by name, with their newest description', () => {
  const ledger = new LedgerHarness()
  const offer = (version: string, names: string[]): void => {
    const services = names.map((name) => ({ name, version }))
    ledger.apply({ kind: 'offer-services', services })
  }
  offer('1', ['b', 'a'])
  offer('2', ['b'])
  assert.deepEqual(bodyOf(ledger, { kind: 'services' }).items, [
    { name: 'a', version: '1' },
    { name: 'b', version: '2' },
  ])
})

test('an item shows every attempt of it, and of its compensation', () => {
  const ledger = new LedgerHarness()
  const each = { forEach: { items: { range: 2 } }, retry: retry(3), compensate: true } as const
  const id = ledger.submit(planOf({ each, last: { needs: ['each'], retry: ONCE } }))
  for (let number = 0; number < 2; number += 1) {
    ledger.fail('each', { index: 1 })
    ledger.pass(5000)
  }
  for (const index of [0, 1]) ledger.succeed('each', index, { index })
  ledger.fail('last')
  const undo = (): string => ledger.attemptOf('each', { index: 1, hook: 'compensate' })
  ledger.end(undo(), failed(true))
  ledger.pass(5000)
  ledger.end(undo(), { kind: 'succeeded', output: null })
  const { items } = bodyOf(ledger, { kind: 'items', id, step: 'each', after: -1, limit: 10 })
  const [once, often] = items
  const outcomes = (of: { attempts: { outcome: string }[] }): string[] =>
    of.attempts.map(({ outcome }) => outcome)
  assert.deepEqual(outcomes(once), ['succeeded'])
  assert.deepEqual(outcomes(often), ['failed', 'failed', 'succeeded'])
  assert.equal(often.attemptCount, 3)
  assert.deepEqual(outcomes(often.compensation), ['failed', 'succeeded'])
})

test('a page of items with large outputs ends early and says that more follow', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ each: { forEach: { items: { range: 20 } } } }))
  for (let index = 0; index < 20; index += 1) {
    ledger.succeed('each', 'x'.repeat(250_000), { index })
  }
  const page = (after: number): ReturnType<typeof bodyOf> =>
    bodyOf(ledger, { kind: 'items', id, step: 'each', after, limit: 1000 })
  const first = page(-1)
  assert.equal(first.items.length, 9)
  assert.equal(first.more, true)
  const rest = page(8)
  assert.equal(rest.items[0].index, 9)
  assert.equal(page(17).more, false)
})
