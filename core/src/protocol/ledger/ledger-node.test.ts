import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import type { JobRow } from './job-row.js'
import { LedgerNode } from './ledger-node.js'
import { keys } from './rows-layout.js'
import { ARC, FIRST_INSTANT, LedgerHarness, toyHash } from './testing/ledger-harness.js'
import { planOf, retry } from './testing/plans.js'

const PLAN = planOf({ main: {} })

function kinds(ledger: LedgerHarness): string[] {
  return ledger.said.map(({ kind }) => kind)
}

test('an entry gives its reply and dispatch first, then what changed, then that it is applied', () => {
  const ledger = new LedgerHarness()
  ledger.apply({ kind: 'submit', id: ledger.newJobId(), plan: PLAN, input: null }, { work: 1 })
  assert.deepEqual(kinds(ledger), ['reply', 'dispatch', 'timer', 'applied'])
  const [, dispatch] = ledger.said
  assert.equal(dispatch?.kind === 'dispatch' && dispatch.index, 1)
})

test('demand is reported when it has changed and only then', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN, { slots: {} })
  const demand = ledger.said.find(({ kind }) => kind === 'demand')
  assert.deepEqual(demand, {
    kind: 'demand',
    arc: ARC,
    ready: { work: { count: 1, since: FIRST_INSTANT } },
  })
  ledger.apply({ kind: 'put-record', key: 'a', id: toyHash('a'), value: 1 })
  assert.deepEqual(kinds(ledger), ['reply', 'applied'])
})

test('demand tells since when the first task is ready, and looks only at queues that were touched', () => {
  const ledger = new LedgerHarness()
  const told = () => {
    const demand = ledger.said.find(({ kind }) => kind === 'demand')
    assert.equal(demand?.kind, 'demand')
    return Object.entries(demand.ready).map(([name, { count, since }]) => [
      name,
      count,
      since - FIRST_INSTANT,
    ])
  }
  ledger.submit(PLAN, { slots: {} })
  ledger.submit(planOf({ main: { service: 'other' } }), { slots: {} })
  ledger.pass(5, {})
  ledger.submit(PLAN, { slots: {} })
  assert.deepEqual(told(), [
    ['other', 1, 0],
    ['work', 2, 0],
  ])
  const scans = mock.method(ledger.rows, 'scan').mock
  ledger.apply({ kind: 'start' }, { work: 1 })
  assert.deepEqual(told(), [
    ['other', 1, 0],
    ['work', 1, 5],
  ])
  const looks = scans.calls.filter(({ arguments: [from] }) => from.startsWith('r/other'))
  assert.equal(looks.length, 0)
})

test('no more tasks start than the grant has slots, oldest first, and only of granted services', () => {
  const ledger = new LedgerHarness()
  const ids = [1, 2, 3].map(() => {
    ledger.now += 1
    return ledger.submit(PLAN, { slots: {} })
  })
  ledger.submit(planOf({ main: { service: 'other' } }), { slots: { work: 2 } })
  const started = [...ledger.running.values()].map(({ job }) => job)
  assert.deepEqual(started, ids.slice(0, 2))
  assert.deepEqual(ledger.ready, { other: 1, work: 1 })
})

test('entries that the state holds already are passed over, and a gap is a bug', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN)
  ledger.flush()
  ledger.crash()
  assert.deepEqual(ledger.job(ledger.running.keys().next().value ?? idOf(ledger)).status, 'running')
  const overlay = new Overlay(new MemoryTable())
  const self = { node: 'n', boot: 1 }
  const node = new LedgerNode({ overlay, self, arcCount: 1, hash: toyHash })
  const body = JSON.stringify(ledger.entries[0])
  const entry = { kind: 'entry', arc: ARC, term: 1, request: 0, body } as const
  assert.throws(() => node.step({ ...entry, index: 2 }), /M1/)
})

function idOf(ledger: LedgerHarness): string {
  const [job] = ledger.rows.scan('x/', 'x0', 1)
  return job?.key.split('/').at(-1) ?? ''
}

test('after a crash the old starts are applied again but nothing of them is dispatched', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  ledger.crash()
  assert.equal(ledger.running.size, 0)
  assert.equal(ledger.job(id).status, 'running')
  ledger.apply({ kind: 'term-start' })
  const leases = ledger.said.find(({ kind }) => kind === 'leases')
  assert.deepEqual(leases, {
    kind: 'leases',
    arc: ARC,
    workers: [{ node: ledger.node, boot: 1 }],
  })
  ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: 2 })
  ledger.pass(1000)
  ledger.succeed('main', 'second')
  const { attempts } = ledger.step(id, 'main')
  assert.deepEqual(
    attempts.map(({ outcome }) => outcome),
    ['lost', 'succeeded'],
  )
})

test('a stale attempt that wakes up after its successor has finished changes nothing', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(planOf({ main: { retry: retry(3, { delayMs: 0 }) } }))
  const first = ledger.attemptOf('main')
  ledger.crash()
  ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: 2 })
  ledger.pass(0)
  ledger.succeed('main', 'of the second')
  const stale = ledger.end(first, { kind: 'succeeded', output: 'of the first' })
  assert.equal(!stale.ok && stale.code, 'attempt_fenced')
  assert.equal(ledger.job(id)['output'], 'of the second')
})

test('a new term is told demand, timer and leases, changed or not', () => {
  const ledger = new LedgerHarness()
  ledger.apply({ kind: 'term-start' })
  assert.deepEqual(kinds(ledger), ['reply', 'demand', 'timer', 'leases', 'applied'])
})

test('a fired timer is followed by the next one, also when nothing else has changed', () => {
  const ledger = new LedgerHarness()
  ledger.submit(planOf({ main: { timeoutMs: 50 } }))
  ledger.now += 1
  ledger.apply({ kind: 'fire' })
  const timer = ledger.said.find(({ kind }) => kind === 'timer')
  assert.deepEqual(timer, { kind: 'timer', arc: ARC, at: FIRST_INSTANT + 50 })
})

test('who watches a job is answered once, when it is final, or at once if it is', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  const watching = ledger.ask({ kind: 'watch-job', id })
  const given = ledger.ask({ kind: 'watch-job', id })
  assert.equal(ledger.said.length, 0)
  ledger.unwatch(given)
  ledger.succeed('main')
  const answered = ledger.said.flatMap((said) => (said.kind === 'reply' ? [said.request] : []))
  assert.equal(answered.includes(watching), true)
  assert.equal(answered.includes(given), false)
  ledger.apply({ kind: 'start' })
  assert.deepEqual(kinds(ledger), ['reply', 'applied'])
  const late = ledger.query({ kind: 'watch-job', id })
  assert.equal(late.ok && JSON.parse(late.body ?? '').status, 'succeeded')
  const missing = ledger.query({ kind: 'watch-job', id: 'f'.repeat(32) })
  assert.equal(!missing.ok && missing.code, 'job_not_found')
})

test('who follows a job is told its next events once, and nothing while there are none', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  const told = ledger.history(id).length
  const follow = { kind: 'follow-job', id, limit: 10 } as const
  const following = ledger.ask({ ...follow, after: told })
  const given = ledger.ask({ ...follow, after: told })
  ledger.unwatch(given)
  ledger.apply({ kind: 'put-record', key: 'a', id: toyHash('a'), value: 1 })
  assert.deepEqual(kinds(ledger), ['reply', 'applied'])
  ledger.succeed('main')
  const replies = ledger.said.filter((said) => said.kind === 'reply')
  const [news] = replies.filter(({ request }) => request === following)
  const page = JSON.parse(news?.body ?? '')
  assert.deepEqual(
    page.items.map(({ seq }: { seq: number }) => seq),
    ledger
      .history(id)
      .slice(told)
      .map(({ seq }) => seq),
  )
  assert.deepEqual([page.more, page.ended], [false, true])
  assert.equal(
    replies.some(({ request }) => request === given),
    false,
  )
  const late = ledger.query({ ...follow, after: 99 })
  assert.equal(late.ok && JSON.parse(late.body ?? '').ended, true)
})

test('who follows a job whose timeline is full is told when it ends', () => {
  const ledger = new LedgerHarness()
  const id = ledger.submit(PLAN)
  const row = ledger.rows.get<JobRow>(keys.job(id))
  ledger.rows.put(keys.job(id), { ...row, eventCount: 10_000, historyTruncated: true })
  const following = ledger.ask({ kind: 'follow-job', id, after: 10_000, limit: 10 })
  ledger.succeed('main')
  const news = ledger.said.find((said) => said.kind === 'reply' && said.request === following)
  assert.equal(news?.kind === 'reply' && JSON.parse(news.body ?? '').ended, true)
})

test('an entry that is not understood stops its arc, is not skipped, and leaves others alone', () => {
  for (const body of ['{"t":1,"s":1,"c":{"kind":"from-the-future"}}', '{"t":1', 'null']) {
    const overlay = new Overlay(new MemoryTable())
    const self = { node: 'n', boot: 1 }
    const node = new LedgerNode({ overlay, self, arcCount: 2, hash: toyHash })
    const entry = { kind: 'entry', arc: 0, term: 1, index: 1, request: 5, body } as const
    const known = '{"t":1,"s":1,"c":{"kind":"start"}}'
    node.takeOutputs()
    node.step(entry)
    node.step({ ...entry, index: 2, request: 6, body: known })
    node.step({ kind: 'query', request: 7, arc: 0, body: '{"kind":"counts"}' })
    node.step({ ...entry, arc: 1, request: 8, body: known })
    const said = node.takeOutputs().flatMap((message) => {
      if (message.kind === 'stopped-arc') return [[message.kind, message.arc, message.index]]
      if (message.kind !== 'reply') return []
      return [[message.request, message.reply.ok ? 'ok' : message.reply.code]]
    })
    assert.deepEqual(said, [
      ['stopped-arc', 0, 1],
      [5, 'outcome_unknown'],
      [6, 'outcome_unknown'],
      [7, 'apply_stopped'],
      [8, 'ok'],
    ])
    assert.equal(overlay.applied(0), 0)
    assert.equal(overlay.applied(1), 1)
  }
})

test('the first message of a life tells the applied index and arc time of every arc', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN)
  ledger.flush()
  const self = { node: 'n', boot: 2 }
  const node = new LedgerNode({
    overlay: new Overlay(ledger.table),
    self,
    arcCount: 1,
    hash: toyHash,
  })
  assert.deepEqual(node.takeOutputs(), [{ kind: 'loaded', applied: [[ARC, 1, FIRST_INSTANT]] }])
  node.checkpoint()
  assert.deepEqual(node.takeOutputs(), [{ kind: 'durable', applied: [[ARC, 1]] }])
})

test('only attempts of earlier lives are lost, those of this life run on', () => {
  const ledger = new LedgerHarness()
  ledger.submit(PLAN)
  ledger.crash()
  const living = ledger.submit(PLAN)
  ledger.apply({ kind: 'lose-worker', node: ledger.node, beforeBoot: ledger.boot })
  ledger.apply({ kind: 'lose-worker', node: 'b'.repeat(32), beforeBoot: 99 })
  assert.equal(ledger.job(living).status, 'running')
  ledger.succeed('main')
  assert.equal(ledger.job(living).status, 'succeeded')
})
