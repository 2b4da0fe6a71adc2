import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SYSTEM_ARC } from '../../base/ids.js'
import type { EngineArcStart } from './engine-types.js'
import {
  BATCH_CHARS_MAX,
  BATCH_COMMANDS_MAX,
  COMMAND_CHARS_MAX,
  OPEN_COMMANDS_MAX,
  REPLAY_ENTRIES_MAX,
  URGENT_TIMES,
} from './limits.js'
import type { FromApi } from './messages.js'
import {
  ARC_COUNT,
  Bench,
  dispatchOf,
  JOB,
  NO_LOG_NEWS,
  OFFERS,
  running,
  served,
  SERVICES,
} from './testing/engine-bench.js'
import { ready } from './testing/ready.js'

test('a node serves once every arc has applied its term start and the services are offered', () => {
  const bench = new Bench()
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [] })
  bench.sync()
  bench.sync()
  bench.apply()
  assert.match(bench.engine.status.reason ?? '', /plugins/)
  bench.engine.onServices(OFFERS)
  assert.equal(bench.engine.status.serving, true)
  assert.ok(bench.api().some((message) => message.kind === 'status'))
})

test('an entry reaches the ledger only after the batch that holds it is durable', () => {
  const bench = served()
  bench.propose(1)
  const batch = bench.engine.takeBatch()
  assert.ok(batch)
  assert.deepEqual(bench.apply(), [])
  bench.engine.onPersisted(batch.marks)
  assert.equal(bench.apply().length, 1)
})

test('an entry proposed during a sync waits for the next one', () => {
  const bench = served()
  bench.propose(1)
  const batch = bench.engine.takeBatch()
  assert.ok(batch)
  bench.propose(2)
  bench.engine.onPersisted(batch.marks)
  assert.deepEqual(
    bench.apply().map((message) => message.kind === 'entry' && message.request),
    [1],
  )
  bench.sync()
  assert.equal(bench.apply().length, 1)
})

test('before it serves, proposals and reads are refused and nothing is stored', () => {
  const bench = new Bench()
  bench.pass(0)
  bench.propose(1)
  bench.engine.onApi({ kind: 'query', request: 2, arc: 0, body: '{}' })
  const codes = bench.api().map((m) => m.kind === 'reply' && !m.reply.ok && m.reply.code)
  assert.deepEqual(codes, ['not_ready', 'not_ready'])
  assert.equal(bench.engine.hasBatch, false)
})

test('when too much is on its way new work is refused, a completion is not', () => {
  const bench = served()
  for (let n = 1; n <= OPEN_COMMANDS_MAX; n += 1) bench.propose(n)
  bench.propose(20_001)
  bench.propose(20_002, { sheddable: false })
  const refused = bench
    .api()
    .map((m) => m.kind === 'reply' && !m.reply.ok && [m.request, m.reply.code])
  assert.deepEqual(refused, [[20_001, 'overloaded']])
})

test('work that the ledger has applied makes room for new work', () => {
  const bench = served()
  for (let n = 1; n <= OPEN_COMMANDS_MAX; n += 1) bench.propose(n)
  for (let round = 0; round < 5; round += 1) {
    bench.sync()
    bench.apply()
  }
  bench.propose(20_001)
  assert.deepEqual(bench.api(), [])
  assert.equal(bench.engine.status.pendingProposals, 1)
})

test('completions and clean-up enter the log before new work that came earlier', () => {
  const bench = served()
  for (let n = 1; n <= BATCH_COMMANDS_MAX; n += 1) bench.propose(n)
  bench.propose(9_999, { sheddable: false })
  bench.sync()
  assert.equal(bench.takeWritten()[0]?.c.n, 9_999)
})

test('a log without room refuses new work and lets completions pass', () => {
  const bench = served()
  bench.engine.setLogProgress({ shortage: 'too many files are open', ...NO_LOG_NEWS })
  bench.propose(1)
  bench.propose(2, { sheddable: false })
  bench.sync()
  assert.deepEqual(
    bench.takeWritten().map((entry) => entry.c.n),
    [2],
  )
})

test('a submission carries the slot that its first task starts with', () => {
  const bench = served()
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  assert.deepEqual(bench.takeWritten()[0]?.g, { node: 'me', boot: 4, slots: { echo: 1 } })
})

test('a completion carries the slot that it freed to the step that follows', () => {
  const bench = served()
  const attempt = `${JOB}.1.main.-.r.1`
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  const [entry] = bench.engine.outputs.takeLedger()
  assert.ok(entry?.kind === 'entry')
  bench.engine.onLedger(dispatchOf(attempt, entry.index, ['sleep']))
  bench.engine.onLedger({ kind: 'applied', arc: 0, index: entry.index })
  bench.takeWritten()
  const body = '{"kind":"succeeded","output":null}'
  bench.engine.onServices({ kind: 'ended', attempt, body })
  bench.sync()
  const [finish] = bench.takeWritten()
  assert.deepEqual(finish?.c, {
    kind: 'finish-attempt',
    attempt: { job: JOB, run: 1, step: 'main', index: null, hook: 'run', attempt: 1 },
    outcome: { kind: 'succeeded', output: null },
  })
  assert.deepEqual(finish?.g, { node: 'me', boot: 4, slots: { sleep: 1 } })
})

test('what a running attempt tells enters the log at once', () => {
  const attempt = `${JOB}.1.main.-.r.1`
  const bench = running(attempt)
  bench.engine.onServices({ kind: 'noted', attempt, logs: '["a"]', progress: '{"done":1}' })
  bench.sync()
  const { kind, ...told } = { ...bench.takeWritten()[0]?.c }
  const ref = { job: JOB, run: 1, step: 'main', index: null, hook: 'run', attempt: 1 }
  assert.deepEqual(
    [kind, told],
    ['note-attempt', { attempt: ref, logs: ['a'], progress: { done: 1 } }],
  )
})

test('a log without room holds what attempts tell until there is some, and loses and repeats nothing', () => {
  const attempt = `${JOB}.1.main.-.r.1`
  const bench = running(attempt)
  const note = (logs: string, more = {}): void =>
    bench.engine.onServices({ kind: 'noted', attempt, logs, ...more })
  const shortage = (text: string | null): void =>
    bench.engine.setLogProgress({ shortage: text, ...NO_LOG_NEWS })
  const written = () => {
    bench.sync()
    const entries = bench.takeWritten().map(({ c }): object => c)
    return entries.map((c) => ('logs' in c ? [c.logs, 'progress' in c && c.progress] : c))
  }
  shortage('the disk is full')
  note('["a"]', { progress: '{"done":1}' })
  note('["b"]')
  assert.deepEqual(written(), [])
  shortage(null)
  note('["c"]')
  assert.deepEqual(written(), [[['a', 'b', 'c'], { done: 1 }]])
  shortage('the disk is full')
  note('["d"]')
  bench.engine.onServices({ kind: 'ended', attempt, body: '{"kind":"timed_out"}', logs: '["e"]' })
  assert.deepEqual(written(), [[['d', 'e'], false]])
})

test('of what attempts tell while there is no room the newest 64 KiB are held, the rest is counted', () => {
  const attempt = `${JOB}.1.main.-.r.1`
  const bench = running(attempt)
  const lines = (from: number, count: number): string =>
    JSON.stringify(Array.from({ length: count }, (_, place) => `${from + place}`.padEnd(97, '.')))
  const note = (logs: string, more = {}): void =>
    bench.engine.onServices({ kind: 'noted', attempt, logs, ...more })
  const shortage = (text: string | null): void =>
    bench.engine.setLogProgress({ shortage: text, ...NO_LOG_NEWS })
  const told = () => {
    bench.sync()
    const { logs, logsDropped } = { ...bench.takeWritten()[0]?.c } as {
      readonly logs: readonly string[]
      readonly logsDropped?: number
    }
    return [logs.length, Number.parseInt(logs[0] ?? '', 10), logsDropped]
  }
  shortage('the disk is full')
  for (const from of [0, 500, 1_000]) note(lines(from, 500), from === 0 ? { logsDropped: 7 } : {})
  shortage(null)
  note(lines(1_500, 1))
  assert.deepEqual(told(), [655, 846, 853])
  shortage('the disk is full')
  note(lines(0, 3), { logsDropped: 2 })
  shortage(null)
  note(lines(10, 3), { logsDropped: 7 })
  assert.deepEqual(told(), [3, 10, 12])
})

test('a second report of the same attempt is not proposed', () => {
  const bench = served()
  const attempt = `${JOB}.1.main.-.r.1`
  bench.engine.onServices({ kind: 'ended', attempt, body: '{"kind":"timed_out"}' })
  assert.equal(bench.engine.hasBatch, false)
})

test('ready tasks that nobody carries get a start command of their own', () => {
  const bench = served()
  bench.engine.onLedger({ kind: 'demand', arc: 1, ready: ready({ echo: 5 }) })
  bench.sync()
  const [start] = bench.takeWritten()
  assert.equal(start?.c.kind, 'start')
  assert.deepEqual(start?.g, { node: 'me', boot: 4, slots: { echo: 2 } })
  assert.equal(bench.engine.hasBatch, false)
})

test('a timer that is due in arc time becomes a fire command, once', () => {
  const bench = served()
  bench.engine.onLedger({ kind: 'timer', arc: 0, at: 1_000_500 })
  assert.equal(bench.engine.alarmAt, 500)
  bench.pass(499)
  bench.engine.onAlarm()
  assert.equal(bench.engine.hasBatch, false)
  bench.pass(1)
  bench.engine.onAlarm()
  bench.engine.onAlarm()
  bench.sync()
  assert.deepEqual(
    bench.takeWritten().map((entry) => entry.c.kind),
    ['fire'],
  )
})

test('attempts leased by an earlier life of this node are ended at start', () => {
  const bench = served()
  bench.engine.onLedger({ kind: 'leases', arc: 1, workers: [{ node: 'me', boot: 3 }] })
  bench.sync()
  assert.deepEqual(bench.takeWritten()[0]?.c, { kind: 'lose-worker', node: 'me', beforeBoot: 4 })
})

test('attempts of this life and of other nodes are left alone', () => {
  const bench = served()
  const workers = [
    { node: 'me', boot: 4 },
    { node: 'other', boot: 1 },
  ]
  bench.engine.onLedger({ kind: 'leases', arc: 1, workers })
  assert.equal(bench.engine.hasBatch, false)
})

const NO_GPU = { reason: 'labels', text: 'this node has no gpu' } as const
const REFUSING = {
  ...OFFERS,
  body: JSON.stringify({
    services: SERVICES,
    jobs: [],
    failures: [],
    refused: { draw: NO_GPU },
  }),
}
const DRAW_REFUSED = {
  kind: 'note-refusals',
  node: 'me',
  refused: [{ service: 'draw', ...NO_GPU }],
  lifted: [],
}

/** What arcs are told of refusals next. */
function refusalsTold(bench: Bench): unknown[] {
  bench.sync()
  const commands = bench.takeWritten().map((entry) => entry.c)
  return commands.filter(({ kind }) => kind === 'note-refusals')
}

test('an arc whose tasks wait for a refused service is told so once, the others are not', () => {
  const bench = served()
  bench.engine.onServices(REFUSING)
  assert.deepEqual(refusalsTold(bench), [])
  bench.engine.onLedger({ kind: 'demand', arc: 1, ready: ready({ 'draw/9': 1, echo: 0 }) })
  assert.deepEqual(refusalsTold(bench), [DRAW_REFUSED])
  bench.apply()
  bench.engine.onLedger({ kind: 'demand', arc: 1, ready: ready({ 'draw/9': 2 }) })
  bench.engine.onServices({ kind: 'withdrawn' })
  bench.engine.onServices(REFUSING)
  assert.deepEqual(refusalsTold(bench), [])
})

test('a refusal of what tasks wait for already, and its end, are told with the offer', () => {
  const bench = served()
  bench.engine.onLedger({ kind: 'demand', arc: 0, ready: ready({ draw: 1 }) })
  bench.engine.onServices(REFUSING)
  assert.deepEqual(refusalsTold(bench), [DRAW_REFUSED])
  bench.apply()
  bench.engine.onServices(OFFERS)
  assert.deepEqual(refusalsTold(bench), [{ ...DRAW_REFUSED, refused: [], lifted: ['draw'] }])
})

test('after a restart an arc is told only what it does not know, and not before it serves', () => {
  for (const knows of [true, false]) {
    const bench = new Bench()
    bench.pass(0)
    bench.engine.onLedger({ kind: 'loaded', applied: [] })
    bench.engine.onServices(REFUSING)
    bench.sync()
    bench.sync()
    const refused = [{ service: 'draw', node: 'me', ...NO_GPU }]
    if (knows) bench.engine.onLedger({ kind: 'refusals', arc: 0, refused })
    bench.engine.onLedger({ kind: 'demand', arc: 0, ready: ready({ draw: 1 }) })
    assert.equal(bench.engine.hasBatch, false)
    bench.apply()
    assert.deepEqual(refusalsTold(bench), knows ? [] : [DRAW_REFUSED])
  }
})

const RESUMED: EngineArcStart = {
  term: 3,
  vote: 'me',
  firstIndex: 5,
  lastIndex: 9,
  lastTerm: 3,
  lastTime: 0,
}

test('entries that the state has not applied are read back from the log, in order', () => {
  const bench = new Bench(new Map([[0, RESUMED]]))
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [[0, 6, 0]] })
  bench.sync()
  bench.sync()
  const ofArc = bench.engine.outputs.takeLedger().filter((m) => 'arc' in m && m.arc === 0)
  assert.deepEqual(ofArc[0], { kind: 'replay', arc: 0, from: 7, to: 9 })
  assert.ok(ofArc[1]?.kind === 'entry' && ofArc[1].index === 10)
})

test('a state store behind what the log still holds stops the node and says what is lost', () => {
  const bench = new Bench(new Map([[0, RESUMED]]))
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [] })
  const [fatal] = bench.api()
  assert.ok(fatal?.kind === 'fatal')
  assert.equal(fatal.code, 'state_lost')
  assert.match(fatal.message, /entries 1 to 4 of arc 0/)
  assert.equal(bench.engine.hasBatch, false)
})

test('a log that ends before what the state has applied stops the node', () => {
  const bench = new Bench(new Map([[0, RESUMED]]))
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [[0, 12, 0]] })
  const [fatal] = bench.api()
  assert.ok(fatal?.kind === 'fatal')
  assert.equal(fatal.code, 'log_lost')
})

test('an arc that met an entry it cannot apply stands still, is refused and told; others go on', () => {
  const bench = served()
  bench.propose(1)
  bench.sync()
  bench.propose(2)
  const [entry] = bench.engine.outputs.takeLedger()
  assert.ok(entry?.kind === 'entry')
  const message = 'entry 2 holds a riddle'
  bench.engine.onLedger({
    kind: 'stopped-arc',
    arc: 0,
    index: entry.index,
    code: 'apply_stopped',
    message,
  })
  bench.propose(3)
  const said = bench.api().map((m) => (m.kind === 'reply' && !m.reply.ok ? m.reply.code : m.kind))
  assert.deepEqual(said, ['alarm', 'apply_stopped', 'apply_stopped'])
  assert.equal(bench.engine.status.pendingProposals, 0)
  bench.engine.onApi({
    kind: 'propose',
    request: 4,
    arc: 1,
    needs: [],
    sheddable: true,
    body: '{"kind":"test"}',
  })
  bench.sync()
  assert.equal(bench.apply().length, 1)
  bench.engine.onApi({ kind: 'stop' })
  assert.deepEqual(bench.engine.outputs.takeLedger(), [{ kind: 'close' }])
})

test('a node serves although one arc cannot go on from what its log holds', () => {
  const bench = new Bench(new Map([[0, RESUMED]]))
  bench.pass(0)
  bench.engine.onServices(OFFERS)
  bench.engine.onLedger({ kind: 'loaded', applied: [[0, 6, 0]] })
  bench.sync()
  bench.sync()
  for (const message of bench.engine.outputs.takeLedger()) {
    if (message.kind === 'entry' && message.arc !== 0) {
      bench.engine.onLedger({ ...message, kind: 'applied' })
    }
  }
  assert.equal(bench.engine.status.serving, false)
  bench.engine.onLedger({
    kind: 'stopped-arc',
    code: 'apply_stopped',
    arc: 0,
    index: 7,
    message: 'entry 7 is new',
  })
  assert.equal(bench.engine.status.serving, true)
})

const STOP: FromApi = { kind: 'stop' }

test('a stopping node starts nothing, lets attempts finish, then closes the ledger', () => {
  const bench = served()
  const attempt = `${JOB}.1.main.-.r.1`
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  const [entry] = bench.engine.outputs.takeLedger()
  assert.ok(entry?.kind === 'entry')
  bench.engine.onLedger(dispatchOf(attempt, entry.index))
  bench.engine.onLedger({ kind: 'applied', arc: 0, index: entry.index })
  bench.engine.onApi(STOP)
  bench.engine.onLedger({ kind: 'demand', arc: 1, ready: ready({ echo: 5 }) })
  assert.equal(bench.engine.hasBatch, false)
  bench.engine.onServices({ kind: 'ended', attempt, body: '{"kind":"timed_out"}' })
  bench.sync()
  const delivered = bench.engine.outputs.takeLedger()
  assert.deepEqual(
    delivered.map((message) => message.kind),
    ['entry'],
  )
  for (const message of delivered) {
    if (message.kind === 'entry') bench.engine.onLedger({ ...message, kind: 'applied' })
  }
  assert.deepEqual(bench.engine.outputs.takeLedger(), [{ kind: 'close' }])
})

test('an attempt that gives up because the node stops is handed back without charge', () => {
  const bench = served()
  const attempt = `${JOB}.1.main.-.r.1`
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  const [entry] = bench.engine.outputs.takeLedger()
  assert.ok(entry?.kind === 'entry')
  bench.engine.onLedger(dispatchOf(attempt, entry.index))
  bench.engine.outputs.takeServices()
  bench.engine.onApi(STOP)
  bench.pass((bench.engine.alarmAt ?? 0) + 1)
  bench.engine.onAlarm()
  assert.deepEqual(bench.engine.outputs.takeServices(), [
    { kind: 'abort', attempt, reason: 'stopping' },
  ])
  bench.takeWritten()
  bench.engine.onServices({ kind: 'ended', attempt, body: '{"kind":"cancelled"}' })
  bench.sync()
  const [finish] = bench.takeWritten()
  assert.deepEqual(finish?.c, {
    kind: 'finish-attempt',
    attempt: { job: JOB, run: 1, step: 'main', index: null, hook: 'run', attempt: 1 },
    outcome: { kind: 'lost', charged: false },
  })
})

test('a stopping node gives no slots to the entries that it still writes', () => {
  const bench = served()
  const attempt = `${JOB}.1.main.-.r.1`
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  const [entry] = bench.engine.outputs.takeLedger()
  assert.ok(entry?.kind === 'entry')
  bench.engine.onLedger(dispatchOf(attempt, entry.index, ['sleep']))
  bench.engine.onLedger({ kind: 'applied', arc: 0, index: entry.index })
  bench.engine.onLedger({ kind: 'demand', arc: 0, ready: ready({ echo: 9 }) })
  bench.engine.onApi(STOP)
  bench.takeWritten()
  bench.engine.onServices({ kind: 'ended', attempt, body: '{"kind":"timed_out"}' })
  bench.sync()
  assert.equal(bench.takeWritten()[0]?.g, undefined)
})

test('an attempt whose start was on its way when the others were aborted is aborted too', () => {
  const bench = served()
  const attempt = `${JOB}.1.main.-.r.1`
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  const [entry] = bench.engine.outputs.takeLedger()
  assert.ok(entry?.kind === 'entry')
  bench.engine.onApi(STOP)
  bench.pass((bench.engine.alarmAt ?? 0) + 1)
  bench.engine.onAlarm()
  bench.engine.outputs.takeServices()
  bench.engine.onLedger(dispatchOf(attempt, entry.index))
  const kinds = bench.engine.outputs.takeServices().map((message) => message.kind)
  assert.deepEqual(kinds, ['dispatch', 'abort'])
})

test('a command too large for a batch of the log is refused, not written', () => {
  const bench = served()
  const body = JSON.stringify({ kind: 'test', text: 'x'.repeat(COMMAND_CHARS_MAX) })
  bench.engine.onApi({ kind: 'propose', request: 7, arc: 0, needs: [], sheddable: true, body })
  const [reply] = bench.api()
  assert.ok(reply?.kind === 'reply' && !reply.reply.ok)
  assert.equal(reply.reply.code, 'payload_too_large')
  assert.equal(bench.engine.hasBatch, false)
})

test('large commands are spread over batches that the log can take', () => {
  const bench = served()
  const body = JSON.stringify({ kind: 'test', text: 'x'.repeat(BATCH_CHARS_MAX / 2) })
  for (const request of [1, 2, 3]) {
    bench.engine.onApi({ kind: 'propose', request, arc: 0, needs: [], sheddable: true, body })
  }
  for (let sync = 0; sync < 3; sync += 1) {
    bench.sync()
    assert.equal(bench.takeWritten().length, 1)
  }
})

test('calls that are no new work are bounded too, at a multiple', () => {
  const bench = served()
  for (let n = 1; n <= OPEN_COMMANDS_MAX * URGENT_TIMES; n += 1) {
    bench.propose(n, { sheddable: false })
  }
  bench.propose(99_999, { sheddable: false })
  const refused = bench.api().map((m) => m.kind === 'reply' && !m.reply.ok && m.reply.code)
  assert.deepEqual(refused, ['overloaded'])
})

test('what is read back from the log at start is bounded until the ledger has applied it', () => {
  const long = { ...RESUMED, firstIndex: 1, lastIndex: 10_000 }
  const bench = new Bench(new Map([[0, long]]))
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [] })
  bench.sync()
  bench.sync()
  const ranges = bench.engine.outputs.takeLedger().filter((m) => m.kind === 'replay')
  assert.deepEqual(ranges, [{ kind: 'replay', arc: 0, from: 1, to: REPLAY_ENTRIES_MAX }])
  bench.engine.onLedger({ kind: 'applied', arc: 0, index: 100 })
  const more = bench.engine.outputs.takeLedger().filter((m) => m.kind === 'replay')
  // The term starts of the other arcs are on their way too.
  const to = REPLAY_ENTRIES_MAX + 100 - ARC_COUNT
  assert.deepEqual(more, [{ kind: 'replay', arc: 0, from: REPLAY_ENTRIES_MAX + 1, to }])
})

test('the services that were ever offered are remembered in the system arc', () => {
  const bench = new Bench()
  bench.serve()
  const kinds = bench.takeWritten().map((entry) => entry.c.kind)
  assert.equal(kinds.filter((kind) => kind === 'offer-services').length, SERVICES.length)
  assert.equal(kinds.filter((kind) => kind === 'term-start').length, ARC_COUNT + 1)
  assert.ok(bench.engine.status.arcs.some(([arc]) => arc === SYSTEM_ARC))
})
