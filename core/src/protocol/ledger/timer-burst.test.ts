import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import type { Rows } from '../state/rows.js'
import type { Command } from './command.js'
import { Ledger } from './ledger.js'
import { TIMERS_PER_FIRE } from './limits.js'
import type { CountsRow } from './rows-layout.js'
import { toyHash } from './testing/ledger-harness.js'
import { planOf } from './testing/plans.js'

const TIMERS = 100_000
const PLAN = planOf({ main: {} })

class Arc {
  readonly rows: Rows = new Overlay(new MemoryTable()).rows(0)
  readonly #ledger = new Ledger(this.rows, toyHash)
  #index = 0
  now = 1_700_000_000_000

  apply(command: Command): void {
    this.#index += 1
    const stamp = { t: this.now, s: this.#index }
    const position = { arc: 0, term: 1, index: this.#index }
    this.#ledger.apply(position, { ...stamp, c: command })
  }

  /** @param number  of the job, which is its place among those that are due at the same time */
  delay(number: number, delayMs: number): void {
    const id = number.toString(16).padStart(32, '0')
    this.apply({ kind: 'submit', id, plan: PLAN, input: null, delayMs })
  }

  count(status: string): number {
    return this.rows.get<CountsRow>('c/jobs')?.counts[status] ?? 0
  }
}

test('F49: 100,000 timers due at once fire once each, the oldest first, a bounded number in an entry', () => {
  const arc = new Arc()
  for (let number = 0; number < TIMERS; number += 1) arc.delay(number, 1000)
  arc.now += 1000
  // What becomes due while the burst is worked off waits behind it.
  arc.delay(TIMERS, 1)
  arc.now += 1
  let fires = 0
  for (let left = TIMERS + 1; left > 0; fires += 1) {
    arc.apply({ kind: 'fire' })
    const after = arc.count('scheduled')
    assert.equal(left - after, Math.min(TIMERS_PER_FIRE, left))
    left = after
    const latest = arc.rows.get<{ phase: string }>(`j/${TIMERS.toString(16).padStart(32, '0')}`)
    assert.equal(latest?.phase === 'scheduled', left > 0, 'it was not due first')
  }
  assert.equal(fires, Math.ceil((TIMERS + 1) / TIMERS_PER_FIRE))
  assert.equal(arc.count('queued'), TIMERS + 1)
  assert.deepEqual(arc.rows.scan('t/', 't~', 1), [])
})
