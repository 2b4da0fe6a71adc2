import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../base/app-error.js'
import type { FromLedger, FromLedgerThread, ToLedgerThread } from '../protocol/node/messages.js'
import { type FlushPolicy, type LedgerMachine, LedgerRuntime } from './ledger-runtime.js'

const POLICY: FlushPolicy = {
  everyMs: 1000,
  sliceRows: 10,
  maxDirtyRows: 100,
  maxDirtyChars: 1000,
  checkpointRows: 30,
  checkpointChars: 5_000,
  idleCheckpointMs: 9_000,
}

/** A machine that makes one dirty row of each entry, and a disk that may be full. */
class CountingMachine implements LedgerMachine {
  dirtyRowCount = 0
  flushes: number[] = []
  checkpoints = 0
  isDiskFull = false
  /** A full disk may have room for what a checkpoint copies. */
  mayCheckpoint = false

  noteDamage(): void {}

  step(): void {
    this.dirtyRowCount += 1
  }

  takeOutputs(): FromLedger[] {
    return []
  }

  flush(maxRows: number): number {
    this.#refuseWhenFull()
    const written = Math.min(maxRows, this.dirtyRowCount)
    this.dirtyRowCount -= written
    this.flushes.push(written)
    return written
  }

  checkpoint(): void {
    if (!this.mayCheckpoint) this.#refuseWhenFull()
    this.checkpoints += 1
  }

  #refuseWhenFull(): void {
    if (this.isDiskFull) throw new AppError('state_full', 'no space left')
  }
}

function setup() {
  const machine = new CountingMachine()
  const sent: FromLedgerThread[] = []
  let alarms: { delayMs: number; ring: () => void }[] = []
  let soon: (() => void)[] = []
  let receive: (messages: readonly ToLedgerThread[]) => void = () => {}
  const clock = {
    now: () => ({ mono: 0, wall: 0 }),
    alarm: (delayMs: number, ring: () => void) => {
      const alarm = { delayMs, ring }
      alarms.push(alarm)
      return () => {
        alarms = alarms.filter((other) => other !== alarm)
      }
    },
    soon: (run: () => void) => {
      soon.push(run)
    },
  }
  const link = {
    send: (message: FromLedgerThread) => sent.push(message),
    onReceive: (take: typeof receive) => {
      receive = take
    },
  }
  new LedgerRuntime({ machine, link, clock, policy: POLICY }).start()
  machine.checkpoints = 0
  const runSoon = (): void => {
    while (soon.length > 0) {
      const due = soon
      soon = []
      for (const run of due) run()
    }
  }
  return {
    machine,
    sent,
    receive: (messages: readonly ToLedgerThread[]) => receive(messages),
    runSoon,
    /** Rings the alarms set for this delay. */
    ringAlarms: (delayMs = POLICY.everyMs) => {
      const due = alarms.filter((alarm) => alarm.delayMs === delayMs)
      alarms = alarms.filter((alarm) => alarm.delayMs !== delayMs)
      for (const { ring } of due) ring()
      runSoon()
    },
  }
}

function entries(count: number, chars = 1): ToLedgerThread[] {
  const body = 'x'.repeat(chars)
  return Array.from({ length: count }, (_, i) => {
    return { kind: 'entry', arc: 0, term: 1, index: i + 1, request: 0, body } as const
  })
}

test('rows stay in memory until the alarm, then leave in slices', () => {
  const { machine, receive, ringAlarms } = setup()
  receive(entries(25))
  assert.deepEqual(machine.flushes, [])
  ringAlarms()
  assert.deepEqual(machine.flushes, [10, 10, 5])
})

test('many rows are flushed at once, without waiting for the alarm', () => {
  const { machine, receive, runSoon } = setup()
  receive(entries(100))
  runSoon()
  assert.equal(machine.dirtyRowCount, 0)
})

test('few but large rows are flushed at once, in smaller slices', () => {
  const { machine, receive, runSoon } = setup()
  receive(entries(15, 100))
  runSoon()
  assert.equal(machine.dirtyRowCount, 0)
  assert.equal(machine.flushes[0], 7)
})

test('what arrives faster than it can be flushed is held up at twice the bound', () => {
  const { machine, receive } = setup()
  receive(entries(250))
  assert.ok(machine.dirtyRowCount < 200, `${machine.dirtyRowCount} rows are still in memory`)
})

test('a checkpoint follows once enough rows were written', () => {
  const { machine, receive, ringAlarms } = setup()
  receive(entries(25))
  ringAlarms()
  assert.equal(machine.checkpoints, 0)
  receive(entries(25))
  ringAlarms()
  assert.equal(machine.checkpoints, 1)
})

test('large entries bring the checkpoint sooner', () => {
  const { machine, receive, runSoon } = setup()
  receive(entries(12, 500))
  runSoon()
  assert.ok(machine.checkpoints >= 1)
})

test('rows that wait for company are checkpointed when none comes', () => {
  const { machine, receive, ringAlarms } = setup()
  receive(entries(5))
  ringAlarms()
  assert.equal(machine.checkpoints, 0)
  ringAlarms(POLICY.idleCheckpointMs)
  assert.equal(machine.checkpoints, 1)
  ringAlarms(POLICY.idleCheckpointMs)
  assert.equal(machine.checkpoints, 1)
})

test('asked for a checkpoint, it writes out everything at once', () => {
  const { machine, receive } = setup()
  receive([...entries(25), { kind: 'checkpoint' }])
  assert.equal(machine.dirtyRowCount, 0)
  assert.equal(machine.checkpoints, 1)
})

test('what an earlier life wrote is checkpointed at the start', () => {
  const machine = new CountingMachine()
  const clock = { now: () => ({ mono: 0, wall: 0 }), alarm: () => () => {}, soon: () => {} }
  new LedgerRuntime({ machine, link: { send() {}, onReceive() {} }, clock }).start()
  assert.equal(machine.checkpoints, 1)
})

test('a full disk is told, keeps the rows, and ends by itself', () => {
  const { machine, sent, receive, ringAlarms } = setup()
  machine.isDiskFull = true
  receive(entries(5))
  ringAlarms()
  assert.deepEqual(sent, [{ kind: 'state-full', full: true }])
  assert.equal(machine.dirtyRowCount, 5)
  machine.isDiskFull = false
  ringAlarms()
  assert.deepEqual(sent[1], { kind: 'state-full', full: false })
  assert.equal(machine.dirtyRowCount, 0)
})

test('on a full disk what was written before is made durable, so that the log can be cut', () => {
  const { machine, sent, receive, ringAlarms } = setup()
  machine.isDiskFull = true
  machine.mayCheckpoint = true
  receive(entries(1))
  ringAlarms()
  assert.equal(machine.checkpoints, 1)
  assert.deepEqual(sent, [{ kind: 'state-full', full: true }])
})

test('any other failure of the state store is not survived', () => {
  const { machine, receive, ringAlarms } = setup()
  machine.flush = () => {
    throw new AppError('state_failed', 'input/output error')
  }
  receive(entries(1))
  assert.throws(ringAlarms, /input.output error/)
})

test('closing writes out and checkpoints everything, then says so', () => {
  const { machine, sent, receive } = setup()
  receive([...entries(25), { kind: 'close' }])
  assert.equal(machine.dirtyRowCount, 0)
  assert.equal(machine.checkpoints, 1)
  assert.deepEqual(sent, [{ kind: 'closed' }])
})
