import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineOutputs } from './engine-outputs.js'
import { LedgerDebts } from './ledger-debts.js'
import { STALL_GRACE_MS, STALL_MS } from './limits.js'
import { StallWatch } from './stall-watch.js'

function setup() {
  const outputs = new EngineOutputs()
  const debts = new LedgerDebts()
  const now = { log: false, unapplied: false }
  const watch = new StallWatch(outputs, {
    logIsBusy: () => now.log,
    hasUnapplied: () => now.unapplied,
    debts,
  })
  const told = (): string[] =>
    outputs.takeApi().map((message) => ('code' in message ? `${message.kind} ${message.code}` : ''))
  return { outputs, debts, now, watch, told }
}

test('a write that does not come back is told once, after ten seconds and a second look, and taken back', () => {
  const { watch, now, told } = setup()
  watch.tick(5_000)
  now.log = true
  assert.equal(watch.nextAt, 5_000 + STALL_MS)
  watch.tick(5_000 + STALL_MS - 1)
  watch.tick(5_000 + STALL_MS)
  assert.deepEqual([told(), watch.reason, watch.nextAt], [[], null, 15_000 + STALL_GRACE_MS])
  watch.tick(15_000 + STALL_GRACE_MS)
  watch.tick(60_000)
  assert.deepEqual(told(), ['alarm log_stalled'])
  assert.match(watch.reason ?? '', /the disk does not answer: .*folder `log`.* 10 s/)
  assert.deepEqual([watch.status, watch.nextAt], [{ log: 55_000, state: 0 }, null])
  now.log = false
  watch.noteLogSign()
  assert.deepEqual([told(), watch.reason], [['alarm-over log_stalled'], null])
})

test('one write after the other is no stall, however long all of them take', () => {
  const { watch, now, told } = setup()
  now.log = true
  for (let at = 0; at < 100_000; at += STALL_MS - 1) {
    watch.tick(at)
    watch.noteLogSign()
  }
  assert.deepEqual(told(), [])
})

test('an engine that stood still itself finds what came meanwhile before it blames the disk', () => {
  const { watch, now, told } = setup()
  now.log = true
  watch.tick(3_600_000)
  watch.noteLogSign()
  watch.tick(3_600_000 + STALL_GRACE_MS)
  assert.deepEqual(told(), [])
})

test('a ledger thread with open entries is asked for a sign, and told when none comes', () => {
  const { watch, outputs, now, told } = setup()
  now.unapplied = true
  watch.tick(STALL_MS / 2 - 1)
  assert.deepEqual(outputs.takeLedger(), [])
  watch.tick(STALL_MS / 2)
  watch.tick(STALL_MS - 1)
  assert.deepEqual(outputs.takeLedger(), [{ kind: 'sign' }])
  watch.tick(STALL_MS)
  watch.tick(STALL_MS + STALL_GRACE_MS)
  assert.deepEqual(told(), ['alarm state_stalled'])
  assert.equal(watch.stateIsStalled, true)
  watch.noteStateSign({ kind: 'scrubbed', rows: 1, passes: 0 })
  assert.deepEqual(told(), ['alarm-over state_stalled'])
})

test('a read that waits for the end of a job owes nothing once a sign has come', () => {
  const { watch, outputs, debts, told } = setup()
  debts.noteRead(7)
  watch.tick(STALL_MS / 2)
  assert.deepEqual(outputs.takeLedger(), [{ kind: 'sign' }])
  watch.noteStateSign({ kind: 'signed' })
  assert.equal(watch.nextAt, null)
  watch.tick(10 * STALL_MS)
  assert.deepEqual([told(), outputs.takeLedger()], [[], []])
})

test('the answer to a read stands for all that was asked before it, and not for what came after', () => {
  const { debts } = setup()
  debts.noteRead(1)
  debts.noteRead(2)
  debts.noteAnswer({ kind: 'reply', request: 2, arc: 0, reply: { ok: true, result: 'done' } })
  assert.equal(debts.isSettled, true)
  debts.noteRead(3)
  debts.noteAnswer({ kind: 'reply', request: 1, arc: 0, reply: { ok: true, result: 'done' } })
  assert.equal(debts.isSettled, false)
  debts.noteUnwatched(3)
  debts.noteSignAsked()
  debts.noteClose()
  debts.noteAnswer({ kind: 'signed' })
  assert.equal(debts.isSettled, false)
  debts.noteAnswer({ kind: 'closed' })
  assert.equal(debts.isSettled, true)
})
