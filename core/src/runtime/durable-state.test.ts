import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../ports/link.js'
import type { DurableState } from '../protocol/node/log-cover.js'
import type { FromLedgerThread, ToLedgerThread } from '../protocol/node/messages.js'
import { hearDurableState } from './durable-state.js'

const LOADED: FromLedgerThread = {
  kind: 'loaded',
  applied: [
    [0, 9, 5],
    [1, 4, 5],
  ],
  damaged: [[2, 'rot', 3]],
}
const DURABLE: FromLedgerThread = { kind: 'durable', applied: [[0, 7]] }
const FULL: FromLedgerThread = { kind: 'state-full', full: true }
const SIGNED: FromLedgerThread = { kind: 'signed' }

test('what a ledger has loaded does not count before it is durable', () => {
  const bench = new Bench()
  bench.arrive(SIGNED, LOADED)
  assert.deepEqual(bench.heard, [])
  bench.arrive(DURABLE)
  assert.deepEqual(bench.heard, [{ applied: [[0, 7]], damaged: [[2, 'rot', 3]] }])
  bench.arrive({ kind: 'durable', applied: [[0, 9]] })
  assert.equal(bench.heard.length, 1, 'it is told once')
})

test('where the disk has no room for it nothing counts; where a part was durable before, that does', () => {
  const bench = new Bench()
  bench.arrive(FULL)
  assert.deepEqual(bench.heard, [])
  bench.arrive(LOADED)
  assert.deepEqual(bench.heard, [null])
  const other = new Bench()
  other.arrive(FULL, LOADED, DURABLE)
  assert.deepEqual(other.heard[0]?.applied, [[0, 7]])
})

test('whoever listens next hears all of it once more, in order, and then what follows', () => {
  const bench = new Bench()
  bench.arrive(LOADED, DURABLE)
  bench.arrive(SIGNED)
  const got: FromLedgerThread[] = []
  bench.next?.onReceive((messages) => got.push(...messages))
  assert.deepEqual(got, [LOADED, DURABLE, SIGNED])
  bench.arrive(FULL)
  assert.deepEqual(got, [LOADED, DURABLE, SIGNED, FULL])
  bench.next?.send({ kind: 'sign' })
  assert.deepEqual(bench.sent, [{ kind: 'sign' }])
})

type LedgerLink = Link<ToLedgerThread, FromLedgerThread>

class Bench {
  readonly heard: (DurableState | null)[] = []
  readonly sent: ToLedgerThread[] = []
  next: LedgerLink | null = null
  #receive: (messages: readonly FromLedgerThread[]) => void = () => {}

  constructor() {
    const link: LedgerLink = {
      send: (message) => this.sent.push(message),
      onReceive: (receive) => {
        this.#receive = receive
      },
    }
    hearDurableState(link, (state, next) => {
      this.heard.push(state)
      this.next = next
    })
  }

  arrive(...messages: FromLedgerThread[]): void {
    this.#receive(messages)
  }
}
