import type { JobPlan, Json, JsonObject } from '@gyre/jobs'
import { assert } from '../../../base/assert.js'
import { makeJobId } from '../../../base/ids.js'
import type { Dispatch, FromLedger } from '../../node/messages.js'
import { MemoryTable } from '../../state/memory-table.js'
import { Overlay } from '../../state/overlay.js'
import type { Rows } from '../../state/rows.js'
import { parseAttemptId } from '../attempt-id.js'
import type { AttemptOutcome, Command, EntryBody, Grant, SubmitCommand } from '../command.js'
import { planOf } from '../job-parts.js'
import type { JobRow } from '../job-row.js'
import { LedgerNode } from '../ledger-node.js'
import { keys, type TimerRow } from '../rows-layout.js'
import type { Reply } from '../outcome.js'
import type { LedgerFigures } from '../queries/figures.js'
import type { Query } from '../query.js'
import type { ToldEvent } from './history-oracle.js'

/** Slots of every service that tests use, as many as anybody could want. */
export const PLENTY = 1000
export const ARC = 0
export const FIRST_INSTANT = 1_700_000_000_000

/**
 * One arc's ledger under a test's hand: the test is engine, clock and worker. Everything passes
 * through the texts that it would pass through in a node.
 */
export class LedgerHarness {
  readonly table = new MemoryTable()
  readonly entries: EntryBody[] = []
  readonly #node = 'a'.repeat(32)
  #boot = 1
  #ledger: LedgerNode
  #overlay: Overlay
  #request = 0
  #jobs = 0
  now = FIRST_INSTANT
  /** Dispatched attempts that were not ended by the test, oldest first. */
  readonly running = new Map<string, Dispatch>()
  /** What the ledger's newest life said first. */
  loaded: FromLedger[] = []
  /** Everything that the ledger said since the last entry or query. */
  said: FromLedger[] = []
  /** Aborts that the ledger asked for, ever. */
  readonly aborted: string[] = []

  constructor() {
    this.#overlay = new Overlay(this.table, { freeze: true })
    this.#ledger = this.#open()
  }

  get boot(): number {
    return this.#boot
  }

  get node(): string {
    return this.#node
  }

  get rows(): Rows {
    return this.#overlay.rows(ARC)
  }

  get index(): number {
    return this.entries.length
  }

  /** Applies one more entry. `slots` per service that the command may use; none by default. */
  apply(command: Command, slots: Readonly<Record<string, number>> = {}): Reply {
    const grant: Grant = { node: this.#node, boot: this.#boot, slots }
    const withGrant = Object.keys(slots).length > 0
    const stamp = { t: this.now, s: this.index + 1 }
    this.entries.push({ ...stamp, ...(withGrant ? { g: grant } : {}), c: command })
    this.#request += 1
    this.#step(this.index, this.#request)
    return this.#replyTo(this.#request)
  }

  /** Submits a plan and starts what it makes ready. @returns the job's ID */
  submit(plan: JobPlan, options: SubmitOptions = {}): string {
    const id = options.id ?? this.newJobId()
    const { slots = everySlot(plan), input = null, ...rest } = options
    const reply = this.apply({ kind: 'submit', id, plan, input, ...rest }, slots)
    assert(reply.ok, `submit was refused: ${JSON.stringify(reply)}`)
    return id
  }

  newJobId(): string {
    this.#jobs += 1
    return makeJobId(0, this.now, this.#jobs.toString(16).padStart(16, '0'))
  }

  /** The running attempt of a step (or item, or compensation); there must be exactly one. */
  attemptOf(step: string, options: { index?: number; hook?: 'run' | 'compensate' } = {}): string {
    const { index = null, hook = 'run' } = options
    const found = [...this.running.keys()].filter((id) => {
      const ref = parseAttemptId(id)
      return ref?.step === step && ref.index === index && ref.hook === hook
    })
    assert(found.length === 1, `${found.length} attempts of ${step} run, expected one`)
    return found[0] ?? ''
  }

  /** Reports an attempt's end, and starts what follows. */
  end(attempt: string, outcome: AttemptOutcome, slots?: Readonly<Record<string, number>>): Reply {
    const ref = parseAttemptId(attempt)
    assert(ref !== null, `${attempt} is no attempt ID`)
    this.running.delete(attempt)
    const plan = this.#planOf(ref.job)
    const plenty = plan === undefined ? {} : everySlot(plan)
    return this.apply({ kind: 'finish-attempt', attempt: ref, outcome }, slots ?? plenty)
  }

  succeed(step: string, output: Json = null, options: { index?: number } = {}): Reply {
    return this.end(this.attemptOf(step, options), { kind: 'succeeded', output })
  }

  fail(step: string, options: { index?: number; retryable?: boolean } = {}): Reply {
    const { retryable = true, ...which } = options
    return this.end(this.attemptOf(step, which), failed(retryable))
  }

  /** Lets time pass and fires what is due. */
  pass(ms: number, slots?: Readonly<Record<string, number>>): Reply {
    this.now += ms
    return this.apply({ kind: 'fire' }, slots ?? this.#wanted())
  }

  /** Starts whatever is ready. */
  start(): Reply {
    return this.apply({ kind: 'start' }, this.#wanted())
  }

  query(query: Query): Reply {
    const request = this.ask(query)
    return this.#replyTo(request)
  }

  /** As `query`, without expecting the answer now. @returns the request's ID */
  ask(query: Query): number {
    this.#request += 1
    const body = JSON.stringify(query)
    this.#ledger.step({ kind: 'query', request: this.#request, arc: ARC, body })
    this.#collect()
    return this.#request
  }

  /** What the newest life of the ledger tells for metrics. */
  figures(): LedgerFigures {
    this.#request += 1
    const query = { kind: 'query', request: this.#request, arc: null } as const
    this.#ledger.step({ ...query, body: JSON.stringify({ kind: 'figures' }) })
    this.#collect()
    const reply = this.#replyTo(this.#request)
    assert(reply.ok && reply.body !== undefined, 'figures are always told')
    return JSON.parse(reply.body)
  }

  unwatch(request: number): void {
    this.#ledger.step({ kind: 'unwatch', request })
  }

  job(id: string): JobShown {
    const reply = this.query({ kind: 'job', id })
    assert(reply.ok && reply.body !== undefined, `no job ${id}`)
    return JSON.parse(reply.body)
  }

  step(id: string, name: string): StepShown {
    const step = this.job(id).steps.find((one) => one.name === name)
    assert(step !== undefined, `job ${id} has no step ${name}`)
    return step
  }

  history(id: string): ToldEvent[] {
    const events: ToldEvent[] = []
    for (let more = true; more; ) {
      const after = events.length
      const reply = this.query({ kind: 'history', id, after, limit: 100_000 })
      assert(reply.ok && reply.body !== undefined, `no job ${id}`)
      const page: { items: ToldEvent[]; more: boolean } = JSON.parse(reply.body)
      events.push(...page.items)
      more = page.more
    }
    return events
  }

  /** Ready tasks by service, as last counted. */
  get ready(): Readonly<Record<string, number>> {
    return this.rows.get<{ counts: Readonly<Record<string, number>> }>('c/ready')?.counts ?? {}
  }

  flush(): void {
    this.#ledger.flush(Number.MAX_SAFE_INTEGER)
  }

  /** The process is killed and starts again: what was not flushed is applied again from the log. */
  crash(): void {
    this.#boot += 1
    this.running.clear()
    this.#overlay = new Overlay(this.table, { freeze: true })
    this.#ledger = this.#open()
    const applied = this.#overlay.applied(ARC)
    for (let index = applied + 1; index <= this.index; index += 1) {
      this.#step(index, 0, { replayed: true })
    }
  }

  /** All rows of the arc, as they are after every entry so far. */
  allRows(): { key: string; value: object }[] {
    return this.rows.scan('', '\u00ff', Number.MAX_SAFE_INTEGER)
  }

  #open(): LedgerNode {
    const self = { node: this.#node, boot: this.#boot }
    const node = new LedgerNode({ overlay: this.#overlay, self, arcCount: 1, hash: toyHash })
    this.loaded = node.takeOutputs()
    return node
  }

  #step(index: number, request: number, origin: { readonly replayed?: true } = {}): void {
    const body = JSON.stringify(this.entries[index - 1])
    this.#ledger.step({ kind: 'entry', arc: ARC, term: 1, index, request, ...origin, body })
    this.#collect()
  }

  #collect(): void {
    this.said = this.#ledger.takeOutputs()
    for (const message of this.said) {
      if (message.kind === 'dispatch') this.running.set(message.attempt, message)
      if (message.kind === 'abort') this.aborted.push(message.attempt)
    }
  }

  #replyTo(request: number): Reply {
    for (const message of this.said) {
      if (message.kind !== 'reply' || message.request !== request) continue
      if (!message.reply.ok || message.body === undefined) return message.reply
      return { ...message.reply, body: message.body }
    }
    assert(false, `request ${request} was not answered`)
  }

  #planOf(id: string): JobPlan | undefined {
    const row = this.rows.get<JobRow>(keys.job(id))
    return row && planOf(this.rows, row)?.plan
  }

  #wanted(): Readonly<Record<string, number>> {
    const services = new Set(Object.keys(this.ready))
    for (const { value } of this.rows.scan<TimerRow>('t/', 't0', 100)) {
      const id = 'job' in value ? value.job : value.attempt.job
      const plan = this.#planOf(id)
      for (const name of Object.keys(plan === undefined ? {} : everySlot(plan))) services.add(name)
    }
    return Object.fromEntries([...services].map((name) => [name, PLENTY]))
  }
}

export interface SubmitOptions extends Partial<Omit<SubmitCommand, 'kind' | 'plan'>> {
  readonly slots?: Readonly<Record<string, number>>
}

/** The members of the job's JSON that tests look at. */
export interface JobShown extends JsonObject {
  readonly id: string
  readonly status: string
  readonly steps: readonly StepShown[]
}

export interface StepShown extends JsonObject {
  readonly name: string
  readonly status: string
  readonly attempts: readonly JsonObject[]
  readonly attemptCount: number
  readonly compensation: (JsonObject & { readonly status: string }) | null
}

export function failed(retryable: boolean): AttemptOutcome {
  return { kind: 'failed', error: { code: 'broken', message: 'it broke', retryable } }
}

/** As many slots as anybody could want of each service that the plan uses. */
export function everySlot(plan: JobPlan): Readonly<Record<string, number>> {
  const services = plan.steps.flatMap(({ service, compensate }) => {
    return compensate === null ? [service] : [service, compensate.service]
  })
  return Object.fromEntries(services.map((name) => [name, PLENTY]))
}

/** FNV-1a, four times over: a stand-in for SHA-256 that needs no crypto. */
export function toyHash(text: string): string {
  let digits = ''
  for (let lane = 0; lane < 4; lane += 1) {
    let hash = 0x811c9dc5 ^ lane
    for (let i = 0; i < text.length; i += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
    }
    digits += hash.toString(16).padStart(8, '0')
  }
  return digits
}
