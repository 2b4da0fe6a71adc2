import assert from 'node:assert/strict'
import { test } from 'node:test'
import { STALL_GRACE_MS, STALL_MS } from './limits.js'
import { Bench, NO_LOG_NEWS, OFFERS, served } from './testing/engine-bench.js'

test('while the disk does not answer changes are refused, reads go on, and handlers may still report', () => {
  const bench = served()
  bench.propose(1)
  bench.engine.noteLogWrite()
  const batch = bench.engine.takeBatch()
  stall(bench)
  const { serving, reason, stalledMs } = bench.engine.status
  assert.equal(serving, false)
  assert.match(reason ?? '', /the disk does not answer/)
  assert.equal(stalledMs.log, STALL_MS + STALL_GRACE_MS)
  assert.deepEqual(codes(bench), ['alarm'])
  for (const [request, sheddable] of [
    [2, true],
    [3, false],
  ] as const)
    bench.propose(request, { sheddable })
  assert.deepEqual(codes(bench), ['overloaded', 'overloaded'])
  const waiting = bench.engine.status.pendingProposals
  const body = '{"kind":"test"}'
  bench.engine.onServices({ kind: 'propose', request: 1, arc: 0, body })
  assert.equal(bench.engine.status.pendingProposals, waiting + 1)
  bench.engine.onApi({ kind: 'query', request: 4, arc: 0, body })
  assert.ok(bench.engine.outputs.takeLedger().some((message) => message.kind === 'query'))
  bench.engine.noteLogWritten()
  if (batch !== null) bench.engine.onPersisted(batch.marks)
  assert.deepEqual(codes(bench), ['alarm-over'])
  bench.propose(5)
  assert.deepEqual([codes(bench), bench.engine.status.serving], [[], true])
})

test('while the ledger thread gives no sign reads are refused too, and its first word ends that', () => {
  const bench = served()
  bench.propose(1)
  bench.sync()
  stall(bench)
  bench.propose(2)
  bench.engine.onApi({ kind: 'query', request: 3, arc: 0, body: '{}' })
  assert.deepEqual(codes(bench), ['alarm', 'overloaded', 'not_ready'])
  bench.apply()
  assert.deepEqual([codes(bench), bench.engine.status.serving], [['alarm-over'], true])
})

test('a batch that waits for room on a full disk is no silent disk', () => {
  const bench = served()
  const full = { ...NO_LOG_NEWS, shortage: 'the disk is full', waitsForRoom: true }
  bench.engine.setLogProgress(full)
  bench.propose(1, { sheddable: false })
  bench.engine.noteLogWrite()
  bench.engine.takeBatch()
  stall(bench)
  assert.deepEqual(codes(bench), [])
})

test('a node that begins while its disk stands still serves when that is over', () => {
  const bench = new Bench()
  bench.pass(0)
  bench.engine.onLedger({ kind: 'loaded', applied: [] })
  for (let round = 0; round < 4; round += 1) {
    bench.sync()
    bench.apply()
  }
  bench.engine.noteLogWrite()
  stall(bench)
  bench.engine.onServices(OFFERS)
  assert.deepEqual(codes(bench), ['alarm', 'offers'])
  bench.engine.noteLogWritten()
  assert.deepEqual(codes(bench), ['alarm-over', 'status'])
})

function stall(bench: Bench): void {
  bench.pass(STALL_MS)
  bench.pass(STALL_GRACE_MS)
}

function codes(bench: Bench): string[] {
  return bench.api().map((m) => (m.kind === 'reply' && !m.reply.ok ? m.reply.code : m.kind))
}
