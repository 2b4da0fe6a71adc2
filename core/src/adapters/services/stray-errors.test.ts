import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CodeOwner } from './on-cpu.js'
import { StrayErrors } from './stray-errors.js'

/** Errors at instants of the test's choice, and the lines that came of them. */
class Bench {
  readonly lines: string[] = []
  readonly stray: StrayErrors
  #now = 0
  #alarms: { at: number; ring: () => void }[] = []

  constructor() {
    const now = () => ({ mono: this.#now, wall: 0 })
    const alarm = (delayMs: number, ring: () => void) => {
      const own = { at: this.#now + delayMs, ring }
      this.#alarms.push(own)
      return () => {
        this.#alarms = this.#alarms.filter((other) => other !== own)
      }
    }
    this.stray = new StrayErrors({
      clock: { now, alarm },
      log: ({ message }) => this.lines.push(message),
    })
  }

  /** Without letting an alarm ring. */
  leap(ms: number): void {
    this.#now += ms
  }

  pass(ms: number): void {
    this.leap(ms)
    const due = this.#alarms.filter(({ at }) => at <= this.#now)
    this.#alarms = this.#alarms.filter(({ at }) => at > this.#now)
    for (const { ring } of due) ring()
  }

  note(service: string, times: number): void {
    const owner: CodeOwner = { serial: 1, attempt: 'a', service }
    for (let count = 0; count < times; count += 1) this.stray.note('boom', new Error('x'), owner)
  }
}

test('few errors are all shown, and no summary follows', () => {
  const bench = new Bench()
  for (let second = 0; second < 3; second += 1) {
    bench.note('a', 10)
    bench.pass(1_000)
  }
  assert.equal(bench.lines.length, 30)
  assert.equal(bench.lines[0], 'boom in service a: x; await what you start and catch its errors')
})

test('past ten lines a second errors are counted by service, and told when the second is over', () => {
  const bench = new Bench()
  bench.note('a', 13)
  bench.pass(400)
  bench.note('b', 4)
  bench.stray.note('boom', new Error('x'), undefined)
  assert.equal(bench.lines.length, 10)
  bench.pass(600)
  const counts = 'service b 4, service a 3, code of a plugin outside any attempt 1'
  assert.deepEqual(bench.lines.slice(10), [
    `8 more errors that nobody caught were not shown: ${counts}; await what you start and catch its errors`,
  ])
  bench.note('a', 1)
  assert.equal(bench.lines.length, 12)
})

test('a flood that lets no alarm ring is still told of, once a second', () => {
  const bench = new Bench()
  for (let second = 0; second < 5; second += 1) {
    bench.note('a', 1_000)
    bench.leap(1_000)
  }
  bench.pass(0)
  const summaries = bench.lines.filter((line) => line.startsWith('990 more'))
  assert.deepEqual([summaries.length, bench.lines.length], [5, 55])
})

test('a summary names five services and counts the others', () => {
  const bench = new Bench()
  bench.note('shown', 10)
  for (let service = 1; service <= 7; service += 1) bench.note(`s${service}`, service)
  bench.pass(1_000)
  assert.match(bench.lines[10] ?? '', /^28 more .*: service s7 7, .*, service s3 3, 2 others; /)
})
