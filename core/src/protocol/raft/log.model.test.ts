import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RaftLog } from './log.js'
import type { LogEntry } from './log-record.js'
import type { TermRun } from './term-runs.js'

type Step =
  | { readonly kind: 'push'; readonly rise: number }
  | { readonly kind: 'cut' | 'release' | 'compact'; readonly share: number }
  | { readonly kind: 'take' | 'complete' | 'reopen' }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), rise: fc.nat(2) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('cut', 'release', 'compact'),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('take', 'complete', 'reopen') }) },
)

/** A log as a plain list, and every question answered by going through it. */
class Model {
  /** `entries[i]` has index i + 1; compacted ones stay. */
  entries: LogEntry[] = []
  base = 0
  /** Each entry object is durable or not. */
  readonly durable = new Set<LogEntry>()
  taken: { readonly entries: readonly LogEntry[]; readonly last: LogEntry | undefined }[] = []
  unstable: LogEntry[] = []

  get durableIndex(): number {
    const at = this.entries.findIndex(
      (entry, place) => place >= this.base && !this.durable.has(entry),
    )
    return at === -1 ? this.entries.length : at
  }

  lastNotAbove(index: number, term: number): number {
    const from = Math.min(index, this.entries.length)
    if (from < this.base) return from
    for (let at = from; at > this.base; at -= 1) {
      if ((this.entries[at - 1]?.term ?? 0) <= term) return at
    }
    return this.base
  }
}

test('a log answers like a plain list, whatever is appended, cut, written, released and compacted', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const model = new Model()
      const read = (from: number, to: number) => model.entries.slice(from - 1, to)
      let log = new RaftLog({ base: { index: 0, term: 0 }, lastIndex: 0, termRuns: [] }, { read })
      let term = 1
      let count = 0
      for (const step of steps) {
        switch (step.kind) {
          case 'push': {
            term += step.rise === 2 ? 1 : 0
            count += 1
            const entry = { index: model.entries.length + 1, term, payload: 'x'.repeat(count % 5) }
            model.entries.push(entry)
            model.unstable.push(entry)
            log.push(entry)
            break
          }
          case 'cut': {
            const from =
              model.base + 1 + Math.floor(step.share * (model.entries.length - model.base))
            if (from > model.entries.length) break
            log.truncateFrom(from)
            // Another leader's entries follow: of their terms, none was written at these places.
            term += 1
            model.entries.length = from - 1
            model.unstable = model.unstable.filter(({ index }) => index < from)
            break
          }
          case 'take':
            assert.deepEqual(log.takeUnstable(), model.unstable)
            model.taken.push({ entries: model.unstable, last: model.entries.at(-1) })
            model.unstable = []
            break
          case 'complete': {
            const write = model.taken.shift()
            if (write === undefined) break
            for (const entry of write.entries) model.durable.add(entry)
            if (write.last !== undefined) log.noteDurable(write.last.index, write.last.term)
            break
          }
          case 'release':
            log.release(Math.floor(step.share * model.durableIndex))
            break
          case 'compact': {
            const to = Math.floor(step.share * log.durable)
            log.compact(to)
            model.base = Math.max(model.base, to)
            break
          }
          case 'reopen': {
            const end = log.durable
            model.entries.length = end
            model.taken = []
            model.unstable = []
            const runs: TermRun[] = model.entries
              .slice(model.base)
              .map((entry) => ({ from: entry.index, term: entry.term }))
              .filter((run, at, all) => all[at - 1]?.term !== run.term)
            const base = { index: model.base, term: model.entries[model.base - 1]?.term ?? 0 }
            log = new RaftLog({ base, lastIndex: end, termRuns: runs }, { read })
            break
          }
        }
        compare(log, model)
      }
    }),
  )
})

function compare(log: RaftLog, model: Model): void {
  const { base } = model
  const last = model.entries.length
  assert.equal(log.lastIndex, last)
  assert.equal(log.base, base)
  assert.ok(log.durable <= model.durableIndex, 'nothing counts as durable that is not')
  for (let index = 0; index <= last + 1; index += 1) {
    const isHeld = index >= base && index <= last
    const expected = index === 0 ? 0 : model.entries[index - 1]?.term
    assert.equal(log.termAt(index), isHeld ? expected : undefined, `term of ${index}`)
  }
  for (const entry of model.entries.slice(log.tailStart - 1)) {
    assert.equal(log.entry(entry.index), entry)
  }
  assert.ok(log.tailStart <= log.durable + 1, 'what is not durable is in memory')
  for (const index of [0, base, base + 1, Math.floor((base + last) / 2), last, last + 3]) {
    for (const term of [0, 1, 2, 3, 5]) {
      assert.equal(log.lastNotAbove(index, term), model.lastNotAbove(index, term))
    }
    if (index === 0) continue
    const slice = log.slice(index, 4)
    assert.equal(slice === undefined, index <= base)
    if (slice === undefined) continue
    assert.deepEqual(slice, model.entries.slice(index - 1, index - 1 + slice.length))
    const chars = slice.reduce((sum, { payload }) => sum + payload.length, 0)
    assert.ok(chars <= 4 || slice.length === 1)
    assert.ok(slice.length > 0 || index > last)
  }
}

test('what is written once more after a cut is durable by its own write only', () => {
  const log = new RaftLog(
    { base: { index: 0, term: 0 }, lastIndex: 0, termRuns: [] },
    { read: () => [] },
  )
  log.push({ index: 1, term: 1, payload: 'a' })
  log.takeUnstable()
  log.truncateFrom(1)
  log.push({ index: 1, term: 2, payload: 'b' })
  log.noteDurable(1, 1)
  assert.equal(log.durable, 0)
  log.takeUnstable()
  log.noteDurable(1, 2)
  assert.equal(log.durable, 1)
})

test('a log that knows the term of its last entry only answers for nothing before it', () => {
  const start = { base: { index: 3, term: 0 }, lastIndex: 9, termRuns: [{ from: 9, term: 4 }] }
  const log = new RaftLog(start, { read: () => [] })
  assert.deepEqual(
    [3, 4, 8, 9].map((index) => log.termAt(index)),
    [undefined, undefined, undefined, 4],
  )
  assert.equal(log.lastNotAbove(8, 4), 3)
  assert.equal(log.lastTerm, 4)
})

test('a reset forgets all entries, also those that lie beyond it and are of newer terms', () => {
  const start = { base: { index: 0, term: 0 }, lastIndex: 0, termRuns: [] }
  const log = new RaftLog(start, { read: () => [] })
  for (const index of [1, 2, 3, 4, 5]) log.push({ index, term: index, payload: '' })
  log.reset(3, 2)
  assert.deepEqual([log.lastIndex, log.durable, log.lastTerm, log.hasUnstable], [3, 3, 2, false])
  log.push({ index: 4, term: 2, payload: 'a' })
  assert.deepEqual(
    [2, 3, 4, 5].map((index) => log.termAt(index)),
    [undefined, 2, 2, undefined],
  )
  assert.equal(log.entry(3), undefined)
  assert.equal(log.entry(4)?.payload, 'a')
})
