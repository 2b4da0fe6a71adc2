import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobPlan } from '@gyre/jobs'
import fc from 'fast-check'
import { MemoryTable } from '../state/memory-table.js'
import { Overlay } from '../state/overlay.js'
import type { AttemptOutcome, SubmitCommand } from './command.js'
import { LedgerNode } from './ledger-node.js'
import { checkStory } from './testing/history-oracle.js'
import {
  ARC,
  everySlot,
  failed,
  FIRST_INSTANT,
  LedgerHarness,
  toyHash,
} from './testing/ledger-harness.js'
import { planOf, retry, type StepSketch } from './testing/plans.js'
import { checkRows } from './testing/row-invariants.js'

/**
 * Random jobs under random hands: whatever is submitted, reported, cancelled, retried, timed out or
 * crashed in whichever order, the rows agree with each other after every entry, every timeline obeys
 * the rules, every job comes to an end, and the same entries give the same rows again.
 */

const SERVICES = ['x', 'y']

const anyStep: fc.Arbitrary<StepSketch & { readonly needed: readonly number[] }> = fc.record(
  {
    service: fc.constantFrom(...SERVICES),
    needed: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
    retry: fc
      .record({
        attempts: fc.integer({ min: 1, max: 3 }),
        delayMs: fc.nat(20),
        jitter: fc.boolean(),
      })
      .map(({ attempts, ...changes }) => retry(attempts, changes)),
    timeoutMs: fc.constantFrom(10, 1000),
    forEach: fc.record({
      items: fc.nat(4).map((range) => ({ range })),
      concurrency: fc.integer({ min: 1, max: 3 }),
      onItemError: fc.constantFrom('fail' as const, 'continue' as const),
    }),
    compensate: fc.record({
      retry: fc.integer({ min: 1, max: 2 }).map((attempts) => retry(attempts, { delayMs: 5 })),
    }),
    // The jobs' input is null.
    when: fc.constantFrom(null, 1).map((value) => {
      return { from: '/input', is: { kind: 'equals' as const, value } }
    }),
    onSkippedNeed: fc.constant('run' as const),
    onFailure: fc.constant(true as const),
  },
  { requiredKeys: ['service', 'needed', 'retry', 'timeoutMs'] },
)

function forward(drawn: StepSketch): StepSketch {
  const { onFailure: _, ...sketch } = drawn
  return sketch
}

const anyPlan: fc.Arbitrary<JobPlan> = fc
  .array(anyStep, { minLength: 1, maxLength: 5 })
  .map((sketches) => {
    const steps = sketches.map(({ needed, ...drawn }, position) => {
      const sketch = position === 0 ? forward(drawn) : drawn
      const isOnFailure = (other: number): boolean =>
        other > 0 && sketches[other]?.onFailure === true
      const fits = (other: number): boolean =>
        other < position && isOnFailure(other) === isOnFailure(position)
      const needs = needed.filter(fits).map((other) => `s${other}`)
      if (sketch.onFailure !== true) return [`s${position}`, { ...sketch, needs }] as const
      const { forEach: _, compensate: _hook, ...single } = sketch
      return [`s${position}`, { ...single, needs }] as const
    })
    return planOf(Object.fromEntries(steps))
  })

const anyOutcome: fc.Arbitrary<AttemptOutcome> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<AttemptOutcome>({ kind: 'succeeded', output: 'out' }) },
  { weight: 2, arbitrary: fc.boolean().map(failed) },
  fc.constantFrom<AttemptOutcome>(
    { kind: 'timed_out' },
    { kind: 'cancelled' },
    { kind: 'lost', charged: true },
    { kind: 'lost', charged: false },
    { kind: 'not_started' },
  ),
)

/** `which` picks among what there is: jobs, attempts, services. */
type Deed =
  | {
      readonly kind: 'end'
      readonly which: number
      readonly outcome: AttemptOutcome
      readonly slots: number
    }
  | { readonly kind: 'end-again'; readonly which: number }
  | { readonly kind: 'start'; readonly slots: number }
  | { readonly kind: 'pass'; readonly ms: number; readonly slots: number }
  | { readonly kind: 'cancel'; readonly which: number; readonly compensate: boolean }
  | { readonly kind: 'retry' | 'skip' | 'fail'; readonly which: number }
  | { readonly kind: 'resubmit'; readonly which: number; readonly from: number }
  | { readonly kind: 'refuse'; readonly which: number; readonly why: string | null }
  | { readonly kind: 'flush' | 'crash' }

const which = fc.nat(1000)
const slots = fc.nat(3)
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('end' as const), which, outcome: anyOutcome, slots }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), slots }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(30), slots }),
  },
  fc.record({ kind: fc.constant('end-again' as const), which }),
  fc.record({ kind: fc.constant('cancel' as const), which, compensate: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('retry' as const, 'skip' as const, 'fail' as const), which }),
  fc.record({
    kind: fc.constant('resubmit' as const),
    which,
    from: fc.integer({ min: -1, max: 5 }),
  }),
  fc.record({
    kind: fc.constant('refuse' as const),
    which,
    why: fc.constantFrom('no gpu', 'no room', null),
  }),
  fc.record({ kind: fc.constantFrom('flush' as const, 'crash' as const) }),
)

/** Times are as short as the plays: some pass, some do not. */
const anyTerms: fc.Arbitrary<Partial<SubmitCommand>> = fc.record(
  {
    priority: fc.nat(9),
    delayMs: fc.nat(40),
    startBy: fc.nat(60).map((ms) => FIRST_INSTANT + ms),
    timeoutMs: fc.integer({ min: 1, max: 100 }),
  },
  { requiredKeys: [] },
)

test('random jobs under random hands obey the rules, end, and are the same on replay', () => {
  fc.assert(
    fc.property(
      fc.array(anyPlan, { minLength: 1, maxLength: 3 }),
      fc.array(anyTerms, { maxLength: 3 }),
      fc.array(anyDeed, { maxLength: 60 }),
      (plans, terms, deeds) => {
        const play = new Play(plans, terms)
        for (const deed of deeds) play.act(deed)
        play.finish()
        play.judge()
        play.replay()
        play.remove()
      },
    ),
    { numRuns: 400 },
  )
})

class Play {
  readonly #ledger = new LedgerHarness()
  readonly #plans: JobPlan[]
  readonly #ids: string[]
  /** Attempts that were reported before, or died with an earlier life. */
  readonly #past: string[] = []

  constructor(plans: readonly JobPlan[], terms: readonly Partial<SubmitCommand>[]) {
    this.#plans = [...plans]
    this.#ids = plans.map((plan, position) => {
      return this.#ledger.submit(plan, { ...terms[position], slots: { x: 1 } })
    })
    this.#check({ x: plans.length })
  }

  act(deed: Deed): void {
    const ledger = this.#ledger
    switch (deed.kind) {
      case 'end': {
        const attempt = pick([...ledger.running.keys()], deed.which)
        if (attempt === undefined) return
        this.#past.push(attempt)
        ledger.end(attempt, deed.outcome, slotsOf(this.#plans, deed.slots))
        return this.#check(slotsOf(this.#plans, deed.slots))
      }
      case 'end-again':
        return this.#endAgain(deed.which)
      case 'start':
        ledger.apply({ kind: 'start' }, slotsOf(this.#plans, deed.slots))
        return this.#check(slotsOf(this.#plans, deed.slots))
      case 'pass':
        ledger.pass(deed.ms, slotsOf(this.#plans, deed.slots))
        return this.#check(slotsOf(this.#plans, deed.slots))
      case 'cancel':
        ledger.apply({ kind: 'cancel', id: this.#id(deed.which), compensate: deed.compensate })
        return this.#check({})
      case 'retry':
        ledger.apply({ kind: 'retry', id: this.#id(deed.which) })
        return this.#check({})
      case 'skip':
        return this.#skip(deed.which)
      case 'fail':
        ledger.apply({ kind: 'fail', id: this.#id(deed.which), reason: 'by hand' })
        return this.#check({})
      case 'resubmit':
        return this.#resubmit(deed.which, deed.from)
      case 'refuse':
        return this.#refuse(SERVICES[deed.which % SERVICES.length] ?? '', deed.why)
      case 'flush':
        return ledger.flush()
      case 'crash':
        return this.#crash()
    }
  }

  /** Ends everything with success, until every job is final. */
  finish(): void {
    for (let round = 0; round < 200; round += 1) {
      for (const attempt of [...this.#ledger.running.keys()]) {
        this.#ledger.end(attempt, { kind: 'succeeded', output: 'out' })
      }
      this.#ledger.pass(1000, slotsOf(this.#plans, 1000))
      const { rows } = this.#ledger
      if (['l/', 'r/', 't/'].every((prefix) => rows.scan(prefix, `${prefix}~`, 1).length === 0))
        break
    }
    checkRows(this.#ledger.rows)
    for (const prefix of ['l/', 'r/', 't/']) {
      assert.deepEqual(this.#ledger.rows.scan(prefix, `${prefix}\u00ff`, 1), [])
    }
  }

  judge(): void {
    for (const [position, id] of this.#ids.entries()) {
      const { status } = this.#ledger.job(id)
      const plan = this.#plans[position]
      assert.ok(plan)
      checkStory(plan, this.#ledger.history(id), status)
    }
  }

  /** The same entries on another machine, which restarts from its table every few entries. */
  replay(): void {
    const table = new MemoryTable()
    let node = open(table)
    for (const [position, entry] of this.#ledger.entries.entries()) {
      const index = position + 1
      const body = JSON.stringify(entry)
      node.step({ kind: 'entry', arc: ARC, term: 1, index, request: 0, body })
      if (index % 7 === 3) node.flush(Number.MAX_SAFE_INTEGER)
      if (index % 7 === 3 && index % 2 === 1) node = open(table)
    }
    node.flush(Number.MAX_SAFE_INTEGER)
    const rows = new Overlay(table).rows(ARC).scan('', '\u00ff', Number.MAX_SAFE_INTEGER)
    assert.deepEqual(plain(rows), plain(this.#ledger.allRows()))
  }

  /** Whatever is finished for good can be removed, and nothing of it stays. */
  remove(): void {
    const kept = this.#ids.filter((id) => !this.#ledger.apply({ kind: 'delete-job', id }).ok)
    checkRows(this.#ledger.rows)
    for (const id of kept) assert.equal(this.#ledger.job(id).status, 'compensation_failed')
    const left = this.#ledger.rows.scan('j/', 'j/~', 10_000)
    assert.deepEqual(new Set(left.map(({ key }) => key.slice(2, 34))), new Set(kept))
  }

  #endAgain(number: number): void {
    const attempt = pick(this.#past, number)
    if (attempt === undefined || this.#ledger.running.has(attempt)) return
    const before = this.#ledger.history(attempt.slice(0, 32)).length
    this.#ledger.end(attempt, { kind: 'succeeded', output: 'stale' }, {})
    assert.equal(this.#ledger.history(attempt.slice(0, 32)).length, before)
  }

  #skip(number: number): void {
    const id = this.#id(number)
    const stuck = this.#ledger
      .job(id)
      .steps.find(({ compensation }) => compensation?.status === 'failed')
    if (stuck === undefined) return
    const reply = this.#ledger.apply({ kind: 'skip', id, step: stuck.name, reason: 'by hand' })
    assert.equal(reply.ok, this.#ledger.job(id).status !== 'compensation_failed')
    this.#check({})
  }

  /** @param why  null: it is taken again */
  #refuse(service: string, why: string | null): void {
    const { node } = this.#ledger
    const refused = why === null ? [] : [{ service, reason: 'labels', text: why }]
    const lifted = why === null ? [service] : []
    this.#ledger.apply({ kind: 'note-refusals', node, refused, lifted })
    this.#check({})
  }

  /** @param from  position of the step to begin with; none there: from the start */
  #resubmit(number: number, from: number): void {
    const source = this.#id(number)
    const plan = this.#plans[this.#ids.indexOf(source)]
    const step = plan?.steps[from]?.name
    const id = this.#ledger.newJobId()
    const where = step === undefined ? {} : { from: step }
    const reply = this.#ledger.apply({ kind: 'resubmit', id, source, ...where })
    if (reply.ok && plan !== undefined) {
      this.#ids.push(id)
      this.#plans.push(plan)
    }
    this.#check({})
  }

  #crash(): void {
    this.#past.push(...this.#ledger.running.keys())
    this.#ledger.crash()
    assert.equal(this.#ledger.running.size, 0)
    const { node, boot } = this.#ledger
    this.#ledger.apply({ kind: 'lose-worker', node, beforeBoot: boot })
    this.#check({})
  }

  /** No start without a slot, and rows that agree with each other. */
  #check(granted: Readonly<Record<string, number>>): void {
    const used = new Map<string, number>()
    for (const said of this.#ledger.said) {
      if (said.kind === 'dispatch') used.set(said.service, (used.get(said.service) ?? 0) + 1)
    }
    for (const [service, count] of used) {
      assert.ok(
        count <= (granted[service] ?? 0),
        `${count} of ${service} started, ${granted[service]} granted`,
      )
    }
    checkRows(this.#ledger.rows)
  }

  #id(number: number): string {
    return pick(this.#ids, number) ?? ''
  }
}

function open(table: MemoryTable): LedgerNode {
  const self = { node: 'other', boot: 1 }
  return new LedgerNode({ overlay: new Overlay(table), self, arcCount: 1, hash: toyHash })
}

function slotsOf(plans: readonly JobPlan[], count: number): Readonly<Record<string, number>> {
  if (count === 0) return {}
  const names = plans.flatMap((plan) => Object.keys(everySlot(plan)))
  return Object.fromEntries(names.map((name) => [name, count]))
}

function pick<T>(items: readonly T[], number: number): T | undefined {
  return items[number % Math.max(1, items.length)]
}

/** Rows as they would come back from JSON. */
function plain(rows: readonly object[]): unknown {
  return JSON.parse(JSON.stringify(rows))
}
