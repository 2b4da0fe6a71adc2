import { AppError } from '../../base/app-error.js'
import { broken } from '../../base/assert.js'
import { type ArcId, arcOf, type Instant, type LogIndex } from '../../base/ids.js'
import type {
  ArcStop,
  Dispatch,
  FromLedger,
  LeaseHolder,
  ReadyQueues,
  ToLedger,
} from '../node/messages.js'
import { type ArcDamage, damageOf } from '../state/damage.js'
import type { Overlay } from '../state/overlay.js'
import type { Rows } from '../state/rows.js'
import { damagedStop, inTheLog } from './arc-stop.js'
import type { EntryBody } from './command.js'
import type { LedgerEffect } from './effects.js'
import type { HashText } from './entry-context.js'
import { isFinal } from './job-status.js'
import type { JobRow } from './job-row.js'
import { type JobWatch, JobWatches } from './job-watches.js'
import { Ledger, type LedgerResult, UnknownEntry } from './ledger.js'
import type { Reply } from './outcome.js'
import { answerForAll } from './queries/all-arcs.js'
import { answer, replyOf } from './queries/answer.js'
import { countsOf, type LedgerFigures } from './queries/figures.js'
import type { ReadContext } from './queries/found.js'
import type { Query } from './query.js'
import { parseReadyName } from './ready-name.js'
import {
  type CountsRow,
  endOf,
  keys,
  type MemoRow,
  type RefusalRow,
  sortable,
  sortableAt,
} from './rows-layout.js'
import { LedgerTally } from './tally.js'

/**
 * The ledgers of all arcs of a node: what runs in the ledger thread, and in the simulator. Takes
 * committed entries and queries in order, and gives replies, dispatches and the engine's notes.
 *
 * M1  per arc every entry is applied once: at or below the applied index it is passed over
 *     (replay after a crash), a gap is a bug
 * M2  an attempt is dispatched or aborted only under a lease of this life of the node; earlier lives'
 *     starts are applied again on replay and must not run again
 * M3  an entry's replies and dispatches leave before the `applied` that covers it
 * M4  an entry that is not understood stops its arc: it is told once, then every request is refused
 * M5  a row that has rotted stops its arc: what of it is not committed yet is given up, and stays in the log
 */
export class LedgerNode {
  readonly #options: LedgerNodeOptions
  readonly #arcs = new Map<ArcId, ArcLedger>()
  /** Who waits for the end of a job, and who for its next events. */
  readonly #watches = new JobWatches()
  readonly #followers = new JobWatches()
  readonly #tally = new LedgerTally()
  /** Arcs that changed since the last `takeOutputs`, in the order in which they did. */
  readonly #touched = new Set<ArcLedger>()
  #outputs: FromLedger[] = []

  constructor(options: LedgerNodeOptions) {
    this.#options = { ...options, hash: rememberLast(options.hash) }
    const { overlay } = options
    const applied = overlay.appliedArcs().flatMap(([arc, index]) => {
      const time = this.#unlessDamaged(() => this.#arc(arc).ledger.time)
      return time === null ? [] : [[arc, index, time] as const]
    })
    const damaged = overlay.damagedArcs
    for (const [arc, found] of damaged) this.#arc(arc).stopped = damagedStop(found)
    // What was found just now is told with all that was known.
    this.#outputs = [{ kind: 'loaded', applied, ...(damaged.length === 0 ? {} : { damaged }) }]
  }

  /** Rows that are not in the state store yet. */
  get dirtyRowCount(): number {
    return this.#options.overlay.dirtyRowCount
  }

  step(message: ToLedger): void {
    switch (message.kind) {
      case 'entry':
        return this.#onEntryUnlessStopped(message)
      case 'query':
        return this.#onQuery(message)
      case 'rebuild':
        return this.#rebuild(message.arc)
      case 'unwatch':
        this.#watches.remove(message.request)
        return this.#followers.remove(message.request)
    }
  }

  takeOutputs(): FromLedger[] {
    for (const arc of this.#touched) this.#unlessDamaged(() => this.#report(arc))
    this.#touched.clear()
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** Moves rows to the state store. @returns how many; 0: nothing is left to move */
  flush(maxRows: number): number {
    return this.#options.overlay.flush(maxRows)
  }

  /** Makes what was flushed survive a power cut, and says up to where the log may forget. */
  checkpoint(): void {
    this.#outputs.push({ kind: 'durable', applied: this.#options.overlay.checkpoint() })
  }

  /** M5. Idempotent. */
  noteDamage(damage: ArcDamage): void {
    if (!this.#options.overlay.noteDamage(damage)) return
    const arc = this.#arc(damage.arc)
    this.#touched.delete(arc)
    this.#stop(arc, this.#options.overlay.applied(arc.arc), damagedStop(damage.found))
  }

  /** @returns null when it met a row that has rotted: then that arc stands still */
  #unlessDamaged<T>(run: () => T): T | null {
    try {
      return run()
    } catch (error) {
      const damage = damageOf(error)
      if (damage === null) throw error
      this.noteDamage(damage)
      return null
    }
  }

  /** The rest of the node is told once, and who waits for something of the arc is told now. */
  #stop(arc: ArcLedger, index: LogIndex, stop: ArcStop): void {
    arc.stopped = stop
    this.#outputs.push({ kind: 'stopped-arc', arc: arc.arc, index, ...stop })
    const isOfArc = (job: string): boolean => arcOf(job, this.#options.arcCount) === arc.arc
    for (const watches of [this.#watches, this.#followers]) {
      for (const { request } of watches.takeAll(isOfArc)) this.#reply(arc.arc, request, arc.refusal)
    }
  }

  #rebuild(arc: ArcId): void {
    try {
      this.#options.overlay.rebuild(arc)
      this.#arcs.delete(arc)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'state_full') throw error
      this.#stop(this.#arc(arc), 0, damagedStop('the disk has no room to rebuild it'))
    }
  }

  /** M4. What was on its way behind the entry that stopped the arc stays in the log. */
  #onEntryUnlessStopped(message: Extract<ToLedger, { readonly kind: 'entry' }>): void {
    const arc = this.#arc(message.arc)
    try {
      if (arc.stopped === null && this.#unlessDamaged(() => this.#onEntry(message)) !== null) return
    } catch (error) {
      if (!(error instanceof UnknownEntry)) throw error
      this.#stop(arc, message.index, { code: 'apply_stopped', message: error.message })
    }
    if (message.request !== 0) this.#reply(message.arc, message.request, arc.entryRefusal)
  }

  #onEntry(message: Extract<ToLedger, { readonly kind: 'entry' }>): true {
    const { overlay } = this.#options
    const { term, index, request } = message
    const applied = overlay.applied(message.arc)
    if (index <= applied) return true
    if (index !== applied + 1) broken(`M1: arc ${message.arc} gets entry ${index} after ${applied}`)
    const arc = this.#arc(message.arc)
    const body = decodeEntry(message.body, index)
    const tally = message.replayed === true ? null : this.#tally
    const result = arc.ledger.apply({ arc: arc.arc, term, index }, body, tally)
    overlay.setApplied(message.arc, index)
    this.#touched.add(arc)
    arc.note(body, result)
    if (request !== 0) this.#reply(message.arc, request, replyOf(arc, result.applied))
    for (const effect of result.effects) {
      // What one of them reads may have stopped the arc, and its slots are free then.
      if (arc.stopped === null) this.#carryOut(arc, effect)
    }
    return true
  }

  #carryOut(arc: ArcLedger, effect: LedgerEffect): void {
    if (effect.kind === 'job-told') return this.#tell(arc, this.#followers.take(effect.job))
    if (effect.kind === 'job-final') {
      // A timeline that is full ends without an event; its followers are told all the same.
      this.#tell(arc, this.#followers.take(effect.job))
      this.#tell(arc, this.#watches.take(effect.job))
      return arc.rows.settle(keys.job(effect.job))
    }
    const { self } = this.#options
    if (effect.node !== self.node || effect.boot !== self.boot) return
    if (effect.kind === 'memoize') {
      const { memo } = effect
      const body = JSON.stringify(memo)
      this.#outputs.push({ kind: 'keep-memo', arc: arcOf(memo.key, this.#options.arcCount), body })
      return
    }
    if (effect.kind === 'abort') {
      const { attempt, reason } = effect
      this.#outputs.push({ kind: 'abort', attempt, reason })
      return
    }
    const { dispatch } = effect
    const { memo } = dispatch
    if (memo === undefined) return void this.#outputs.push(dispatch)
    const recalled = this.#recall(memo.key, arc.ledger.time)
    if (arc.stopped === null) this.#outputs.push({ ...dispatch, ...recalled })
  }

  /** What the same work gave before. It stands in any arc, so apply itself must not look. */
  #recall(key: string, at: Instant): Pick<Dispatch, 'recalled'> {
    const { rows, stopped } = this.#arc(arcOf(key, this.#options.arcCount))
    if (stopped !== null) return {}
    const memo = this.#unlessDamaged(() => rows.get<MemoRow>(keys.memo(key)) ?? null)
    if (memo === null || memo.expiresAt <= at) return {}
    const { output, job } = memo
    return { recalled: JSON.stringify({ kind: 'succeeded', output, memoizedFrom: job }) }
  }

  #onQuery(message: Extract<ToLedger, { readonly kind: 'query' }>): void {
    const query = decodeQuery(message.body)
    if (message.arc === null) return this.#reply(0, message.request, this.#answerForAll(query))
    const arc = this.#arc(message.arc)
    const waits =
      arc.stopped === null && this.#unlessDamaged(() => this.#waits(arc, message.request, query))
    if (waits === true) return
    const reply = arc.stopped === null ? this.#unlessDamaged(() => answer(arc, query)) : null
    this.#reply(message.arc, message.request, reply ?? arc.refusal)
  }

  #waits(arc: ArcLedger, request: number, query: Query): boolean {
    if (query.kind === 'watch-job' || query.kind === 'follow-job') {
      const row = arc.rows.get<JobRow>(keys.job(query.id))
      if (row !== undefined && mustWait(row, query)) {
        const watches = query.kind === 'watch-job' ? this.#watches : this.#followers
        watches.add(query.id, { request, query })
        return true
      }
    }
    return false
  }

  #answerForAll(query: Query): Reply {
    if (query.kind === 'figures') {
      return { ok: true, result: 'found', body: JSON.stringify(this.#figures) }
    }
    const { arcCount } = this.#options
    const arcs = Array.from({ length: arcCount }, (_, arc) => this.#arc(arc))
    return this.#ofSound(arcs, (sound) => answerForAll(sound, arcCount - sound.length, query))
  }

  /** Reads of many arcs: one that is found to be damaged is left out, and the others are asked again. */
  #ofSound<T>(arcs: readonly ArcLedger[], read: (sound: readonly ArcLedger[]) => T): T {
    for (;;) {
      const sound = arcs.filter(({ stopped }) => stopped === null)
      const found = this.#unlessDamaged(() => ({ of: read(sound) }))
      if (found !== null) return found.of
    }
  }

  get #figures(): LedgerFigures {
    const { overlay } = this.#options
    const arcs = [...this.#arcs.values()]
    const counts = this.#ofSound(arcs, countsOf)
    return { ...counts, tally: this.#tally.figures, overlay: overlay.figures }
  }

  #tell(arc: ArcLedger, watches: readonly JobWatch[]): void {
    if (watches.length === 0) return
    const replies = new Map<string, Reply>()
    for (const { request, query } of watches) {
      // Many who wait for the same are the rule; the job is rendered once for them.
      const asked = JSON.stringify(query)
      const reply =
        replies.get(asked) ?? this.#unlessDamaged(() => answer(arc, query)) ?? arc.refusal
      replies.set(asked, reply)
      this.#reply(arc.arc, request, reply)
    }
  }

  #reply(arc: ArcId, request: number, reply: Reply): void {
    if (!reply.ok || reply.body === undefined) {
      this.#outputs.push({ kind: 'reply', request, arc, reply })
      return
    }
    const { body, ...head } = reply
    this.#outputs.push({ kind: 'reply', request, arc, reply: head, body })
  }

  #report(arc: ArcLedger): void {
    this.#outputs.push(...arc.takeNotes())
    const index = this.#options.overlay.applied(arc.arc)
    this.#outputs.push({ kind: 'applied', arc: arc.arc, index })
  }

  #arc(arc: ArcId): ArcLedger {
    const known = this.#arcs.get(arc)
    if (known !== undefined) return known
    const { overlay, hash } = this.#options
    const made = new ArcLedger(arc, overlay.rows(arc), hash)
    this.#arcs.set(arc, made)
    return made
  }
}

export interface LedgerNodeOptions {
  readonly overlay: Overlay
  /** This life of this node. */
  readonly self: LeaseHolder
  /** Arcs of the ring, a power of two. */
  readonly arcCount: number
  readonly hash: HashText
}

/** One arc, with what the engine is still to be told of it. */
class ArcLedger implements ReadContext {
  readonly arc: ArcId
  readonly rows: Rows
  readonly hash: HashText
  readonly ledger: Ledger
  /** Why the arc applies nothing any more; null: it does. */
  stopped: ArcStop | null = null
  /** Of queues that nothing has happened to since they were looked at: an arc may have thousands. */
  readonly #readySinces = new Map<string, Instant>()
  #demandIsNew = false
  #timerIsNew = false
  #termIsNew = false

  constructor(arc: ArcId, rows: Rows, hash: HashText) {
    this.arc = arc
    this.rows = rows
    this.hash = hash
    this.ledger = new Ledger(rows, hash)
  }

  get refusal(): Reply {
    return { ok: false, ...(this.stopped ?? APPLIES) }
  }

  /** For an entry that is committed, and that the arc applies when it can again. */
  get entryRefusal(): Reply {
    return inTheLog(this.stopped ?? APPLIES)
  }

  /** A new term's leader is told everything; a fired timer has been forgotten by the engine. */
  note(body: EntryBody, result: LedgerResult): void {
    const isTermStart = body.c.kind === 'term-start'
    for (const name of result.readyNames) this.#readySinces.delete(name)
    if (isTermStart || result.readyChanged) this.#demandIsNew = true
    if (isTermStart || result.timersChanged || body.c.kind === 'fire') this.#timerIsNew = true
    if (isTermStart) this.#termIsNew = true
  }

  takeNotes(): FromLedger[] {
    const { arc } = this
    const notes: FromLedger[] = []
    if (this.#termIsNew) notes.push(...this.#refusals())
    if (this.#demandIsNew) notes.push({ kind: 'demand', arc, ready: this.#ready() })
    if (this.#timerIsNew) notes.push({ kind: 'timer', arc, at: this.#nextTimer() })
    if (this.#termIsNew) notes.push({ kind: 'leases', arc, workers: this.#leaseHolders() })
    this.#demandIsNew = false
    this.#timerIsNew = false
    this.#termIsNew = false
    return notes
  }

  #ready(): ReadyQueues {
    const counts = this.rows.get<CountsRow>(keys.readyCounts)?.counts ?? {}
    return Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [
        name,
        { count, since: this.#readySince(name) },
      ]),
    )
  }

  #readySince(name: string): Instant {
    const known = this.#readySinces.get(name)
    if (known !== undefined) return known
    const { service, priority } = parseReadyName(name)
    const prefix = keys.readyAt(service, priority)
    const first = this.rows.firstKey(prefix, endOf(prefix))
    const since = first === undefined ? 0 : sortableAt(first, prefix.length)
    this.#readySinces.set(name, since)
    return since
  }

  #refusals(): FromLedger[] {
    const prefix = keys.refusals
    const rows = this.rows.scan<RefusalRow>(prefix, endOf(prefix), Number.MAX_SAFE_INTEGER)
    if (rows.length === 0) return []
    const refused = rows.map(({ key, value: { node, reason, text } }) => {
      return { service: key.slice(prefix.length), node, reason, text }
    })
    return [{ kind: 'refusals', arc: this.arc, refused }]
  }

  #nextTimer(): Instant | null {
    let next: Instant | null = null
    for (const { prefix, end } of TIMED) {
      const key = this.rows.firstKey(prefix, end)
      const at = key === undefined ? null : sortableAt(key, prefix.length)
      if (at !== null && (next === null || at < next)) next = at
    }
    return next
  }

  /** One look per holder: the scan jumps behind the leases of each. */
  #leaseHolders(): LeaseHolder[] {
    const holders: LeaseHolder[] = []
    const end = endOf('l/')
    for (let from = 'l/'; ; ) {
      const key = this.rows.firstKey(from, end)
      if (key === undefined) return holders
      const [, node = '', boot = ''] = key.split('/')
      holders.push({ node, boot: Number.parseInt(boot, 16) })
      from = endOf(`l/${node}/${sortable(Number.parseInt(boot, 16))}/`)
    }
  }
}

/** Rows whose keys begin with the instant at which something is to be done. */
const TIMED = ['t/', 'q/'].map((prefix) => ({ prefix, end: endOf(prefix) }))

/** The task that an entry starts is named to its worker and in the answer, by the same hash. */
function rememberLast(hash: HashText): HashText {
  let last = { text: '', hash: hash('') }
  return (text) => {
    if (text !== last.text) last = { text, hash: hash(text) }
    return last.hash
  }
}

const APPLIES: ArcStop = { code: 'apply_stopped', message: 'the arc applies' }

/**
 * Entries were written by an engine of this or another version, and checked by the log: one that is
 * no JSON stops its arc like one that is not understood (ledger.ts, L4).
 */
function decodeEntry(text: string, index: number): EntryBody {
  const entry: EntryBody | null = parseOrNull(text)
  if (typeof entry?.t === 'number' && typeof entry.c?.kind === 'string') return entry
  throw new UnknownEntry(index, text)
}

function parseOrNull(text: string): EntryBody | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Nothing is there yet of what the query asks for, and something will be. */
function mustWait(row: JobRow, query: Query): boolean {
  if (isFinal(row.status)) return false
  if (query.kind !== 'follow-job') return true
  const isNoted = query.notes !== undefined && query.notes < (row.notes ?? 0)
  return query.after >= row.eventCount && !isNoted
}

function decodeQuery(body: string): Query {
  return JSON.parse(body) as Query
}
