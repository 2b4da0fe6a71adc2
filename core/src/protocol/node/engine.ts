import { assert, unreachable } from '../../base/assert.js'
import { type ArcId, type Instant, type LogIndex, SYSTEM_ARC } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'
import { parseAttemptId } from '../ledger/attempt-id.js'
import type { Group, GroupStart, PersistMark } from '../raft/group.js'
import type { LogRecord } from '../raft/log-record.js'
import { SingleVoterGroup } from '../raft/single-voter.js'
import { ArcState, type PendingProposal } from './arc-state.js'
import { buildBatch } from './build-batch.js'
import { EngineOutputs } from './engine-outputs.js'
import { Grants } from './grants.js'
import * as limits from './limits.js'
import { reachFault } from './log-reach.js'
import type {
  Dispatch,
  EngineStatus,
  FromApi,
  FromLedger,
  FromLedgerThread,
  FromServices,
} from './messages.js'
import { Slots } from './slots.js'
import { Stopping } from './stopping.js'
import { Timers } from './timers.js'

/**
 * The engine of one node: consensus of all its arcs, what enters the log, who gets free slots, and
 * the way of everything between API, ledger and services. Pure: its host (runtime/engine-runtime.ts)
 * hands in messages and the time, and carries out what it asks for in the order persist → send.
 *
 * Not its job: what a command means (protocol/ledger), where bytes go (adapters), running handlers.
 *
 * N1  an entry is delivered to the ledger only when committed, committed only when durable
 * N2  each arc's entries are delivered in index order, without a gap, from the ledger's applied index on
 * N3  every request is answered once, or the node ends
 * N4  completions, timers and clean-up enter the log before new work, and are never refused
 */
export class Engine {
  readonly outputs = new EngineOutputs()
  readonly #self: EngineSelf
  readonly #recovered: ReadonlyMap<ArcId, EngineArcStart>
  readonly #arcIds: readonly ArcId[]
  readonly #prng: Prng
  readonly #arcs = new Map<ArcId, ArcState>()
  /** Arcs with something to put into the next batch. */
  readonly #dirty = new Set<ArcState>()
  readonly #slots = new Slots()
  readonly #grants: Grants
  readonly #timers = new Timers()
  readonly #stopping = new Stopping()
  /** Dispatched attempts that have not ended: who holds a slot. */
  readonly #running = new Map<string, Dispatch>()
  #now: EngineNow = { mono: 0, wall: 0 }
  #notServing: number
  #serving = false
  #offersBody: string | null = null
  /** Commands that wait for the log. */
  #pendingCount = 0
  /** Commands of this life that are not applied yet, waiting or on their way, and their size. */
  #openCount = 0
  #openChars = 0
  /** Entries that the ledger was given and has not applied. */
  #unapplied = 0
  #logStats: LogProgress = { full: false, syncs: 0, bytesWritten: 0 }
  #stateFull = false
  #batchInFlight = false

  constructor(options: EngineOptions) {
    this.#self = options.self
    this.#grants = new Grants(this.#slots, options.self)
    this.#prng = options.prng
    this.#recovered = options.recovered
    this.#arcIds = [...Array(options.arcCount).keys(), SYSTEM_ARC]
    this.#notServing = this.#arcIds.length
  }

  /** True when `takeBatch` would have something for the log. */
  get hasBatch(): boolean {
    return this.#dirty.size > 0 || (this.#mayStart && this.#grants.hasStarts)
  }

  /** When to call `onAlarm` at the latest, monotonic milliseconds; null: nothing is due. */
  get alarmAt(): Instant | null {
    let delay = this.#stopping.nextAt === null ? null : this.#stopping.nextAt - this.#now.mono
    for (const [arc, at] of this.#timers.entries()) {
      const wait = at - this.#stateOf(arc).time(this.#now.mono, this.#now.wall)
      if (delay === null || wait < delay) delay = wait
    }
    if (delay === null) return null
    return this.#now.mono + Math.min(Math.max(delay, 1), limits.ALARM_MAX_MS)
  }

  /** Says what time it is; before every input of a turn. */
  tick(now: EngineNow): void {
    assert(now.mono >= this.#now.mono, 'the monotonic clock went back')
    this.#now = now
  }

  onApi(message: FromApi): void {
    switch (message.kind) {
      case 'propose':
        return this.#onPropose(message)
      case 'query':
        return this.#onQuery(message)
      case 'unwatch':
        return this.outputs.toLedger({ kind: 'unwatch', request: message.request })
      case 'status':
        return this.#sendStatus(message.request)
      case 'stop':
        this.#stopping.begin(this.#now.mono)
        return this.#checkStopped()
      default:
        return unreachable(message, 'message from the API')
    }
  }

  onLedger(message: FromLedgerThread): void {
    switch (message.kind) {
      case 'loaded':
        return this.#onLoaded(message.applied)
      case 'reply':
        return this.outputs.toApi(message)
      case 'dispatch':
        return this.#onDispatch(message)
      case 'abort':
        return this.outputs.toServices(message)
      case 'demand':
        return this.#grants.setDemand(message.arc, message.ready, this.#now.mono)
      case 'timer':
        return this.#timers.set(message.arc, message.at)
      case 'leases':
        return this.#onLeases(message)
      case 'applied':
        return this.#onApplied(message.arc, message.index)
      case 'stopped-arc':
        return this.#onStoppedArc(message.arc, message.message)
      case 'durable':
        return this.outputs.compact(message.applied)
      case 'state-full':
        this.#stateFull = message.full
        return
      case 'closed':
        return this.outputs.toApi({ kind: 'stopped' })
      default:
        return unreachable(message, 'message from the ledger')
    }
  }

  onServices(message: FromServices): void {
    switch (message.kind) {
      case 'offers':
        return this.#onOffers(message)
      case 'withdrawn':
        return this.#slots.offer({}, 0)
      case 'ended':
        return this.#onEnded(message.attempt, message.body)
      default:
        return unreachable(message, 'message from the services')
    }
  }

  /** The alarm rang (or any later moment): timers that are due enter the log. */
  onAlarm(): void {
    for (const [arc, at] of [...this.#timers.entries()]) {
      const state = this.#stateOf(arc)
      if (state.time(this.#now.mono, this.#now.wall) < at) continue
      this.#timers.fired(arc)
      const body = JSON.stringify({ kind: 'fire' })
      const services = this.#slots.services()
      const needs = services.length <= limits.FIRE_SERVICES_MAX ? services : []
      this.#enqueue(state, { request: 0, body, needs }, true)
    }
    if (this.#stopping.shouldAbort(this.#now.mono)) {
      for (const attempt of this.#running.keys()) {
        this.outputs.toServices({ kind: 'abort', attempt, reason: 'stopping' })
      }
    }
    this.#checkStopped()
  }

  /** How the log does: on a full disk it lives on its spare segment and new work is refused. */
  setLogProgress(progress: LogProgress): void {
    if (progress.full && !this.#logStats.full) this.outputs.toLedger({ kind: 'checkpoint' })
    this.#logStats = progress
  }

  /** Records for one log batch; the host makes them durable, then calls `onPersisted`. */
  takeBatch(): EngineBatch | null {
    assert(!this.#batchInFlight, 'a batch is taken while one is in flight')
    if (this.#mayStart) this.#enqueueStarts()
    const batch = buildBatch(this.#dirty, {
      grants: this.#grants,
      mayStart: this.#mayStart,
      prng: this.#prng,
      now: this.#now,
    })
    if (batch === null) return null
    this.#pendingCount -= batch.commandCount
    this.#batchInFlight = true
    return batch
  }

  /** The batch is durable: votes count, entries commit and go to the ledger (N1). */
  onPersisted(marks: ReadonlyMap<ArcId, PersistMark>): void {
    this.#batchInFlight = false
    for (const [arc, mark] of marks) {
      const state = this.#stateOf(arc)
      state.group.persisted(mark)
      if (state.termStartIndex === 0 && state.group.role === 'leader') this.#onLeading(state)
      this.#deliver(state)
    }
    this.#checkStopped()
  }

  get status(): EngineStatus {
    return {
      serving: this.#serving && !this.#stopping.began,
      reason: this.#reasonNotServing(),
      stopping: this.#stopping.began,
      pendingProposals: this.#pendingCount,
      runningAttempts: this.#running.size,
      syncs: this.#logStats.syncs,
      bytesWritten: this.#logStats.bytesWritten,
      arcs: [...this.#arcs.values()].map(({ arc, group, applied }) => [
        arc,
        group.term,
        group.lastIndex,
        group.commitIndex,
        applied,
      ]),
    }
  }

  get #mayStart(): boolean {
    return this.#serving && !this.#stopping.began
  }

  // ---- start --------------------------------------------------------------------------------------

  #onLoaded(applied: readonly (readonly [ArcId, LogIndex, Instant])[]): void {
    const loaded = new Map(applied.map(([arc, index, time]) => [arc, { index, time }]))
    for (const arc of this.#arcIds) {
      const fault = reachFault(arc, this.#startOf(arc), loaded.get(arc)?.index ?? 0)
      if (fault !== null) return this.outputs.toApi({ kind: 'fatal', ...fault })
    }
    for (const arc of this.#arcIds) {
      const start = this.#startOf(arc)
      const state = loaded.get(arc) ?? { index: 0, time: 0 }
      const group: Group = new SingleVoterGroup(arc, this.#self.node, start)
      const time = Math.max(state.time, start.lastTime)
      const arcState = new ArcState(arc, group, state.index, time)
      this.#arcs.set(arc, arcState)
      group.campaign()
      this.#dirty.add(arcState)
    }
  }

  #startOf(arc: ArcId): EngineArcStart {
    return this.#recovered.get(arc) ?? NEW_ARC
  }

  #onLeading(state: ArcState): void {
    state.startClock(this.#now.mono, this.#now.wall)
    this.#enqueue(state, { request: 0, body: TERM_START, needs: [] }, true)
    state.termStartIndex = state.group.lastIndex + 1
  }

  /** Attempts leased by this node's earlier lives are over: their process is gone, this is its proof. */
  #onLeases(message: Extract<FromLedger, { kind: 'leases' }>): void {
    const { node, boot } = this.#self
    if (!message.workers.some((worker) => worker.node === node && worker.boot < boot)) return
    const body = JSON.stringify({ kind: 'lose-worker', node, beforeBoot: boot })
    this.#enqueue(this.#stateOf(message.arc), { request: 0, body, needs: [] }, true)
  }

  #onOffers(message: Extract<FromServices, { kind: 'offers' }>): void {
    this.#slots.offer(message.slots, message.totalSlots)
    this.#offersBody = message.body
    this.outputs.toApi({ kind: 'offers', body: message.body })
    this.#rememberOffers()
    this.#checkServing()
  }

  /** The ring remembers for ever which services were offered, so that one can be missing and known. */
  #rememberOffers(): void {
    const system = this.#arcs.get(SYSTEM_ARC)
    if (system === undefined || !system.serving || this.#offersBody === null) return
    const { services } = JSON.parse(this.#offersBody)
    for (const service of services) {
      const body = JSON.stringify({ kind: 'offer-services', services: [service] })
      this.#enqueue(system, { request: 0, body, needs: [] }, true)
    }
  }

  #checkServing(): void {
    if (this.#serving || this.#notServing > 0 || this.#offersBody === null) return
    this.#serving = true
    this.#sendStatus(0)
  }

  #reasonNotServing(): string | null {
    if (this.#stopping.began) return 'the node is stopping'
    if (this.#notServing > 0) return `${this.#notServing} arcs are still catching up with the log`
    if (this.#offersBody === null) return 'the services thread is still loading plugins'
    return null
  }

  // ---- proposals and reads ------------------------------------------------------------------------

  #onPropose(message: Extract<FromApi, { kind: 'propose' }>): void {
    const refusal = this.#refusal(message.sheddable, message.body.length)
    if (refusal !== null) {
      const reply = { ok: false, ...refusal } as const
      const { request, arc } = message
      return this.outputs.toApi({ kind: 'reply', request, arc, reply })
    }
    const { request, body, needs } = message
    const state = this.#stateOf(message.arc)
    if (state.stopped !== null) return this.#replyStopped(request, state)
    this.#enqueue(state, { request, body, needs }, !message.sheddable)
  }

  /** @param chars of the command: one entry must fit into one batch of the log */
  #refusal(sheddable: boolean, chars: number): Refusal | null {
    const details = { retryAfter: limits.RETRY_AFTER_SECONDS }
    const reason = this.#reasonNotServing()
    if (reason !== null) return { code: 'not_ready', message: `${reason}; try again`, details }
    if (chars > limits.COMMAND_CHARS_MAX) return tooLarge(chars)
    const times = sheddable ? 1 : limits.URGENT_TIMES
    const crowded =
      this.#openCount >= limits.OPEN_COMMANDS_MAX * times ||
      this.#openChars >= limits.OPEN_CHARS_MAX * times
    const full = sheddable && (this.#logStats.full || this.#stateFull)
    if (!crowded && !full) return null
    const message = full
      ? 'the disk is full: new work is refused until there is room'
      : 'the node has more work on its way into the ledger than it can take; try again'
    return { code: 'overloaded', message, details }
  }

  /**
   * A read sees every write that was acknowledged before it: those are applied, and the ledger takes
   * its messages in order.
   */
  #onQuery(message: Extract<FromApi, { kind: 'query' }>): void {
    const { request, body } = message
    const arcs = message.arc === null ? this.#arcIds.slice(0, -1) : [message.arc]
    const serving = this.#notServing === 0
    for (const arc of arcs) {
      if (serving) this.outputs.toLedger({ kind: 'query', request, arc, body })
      else this.#replyNotReady(request, arc)
    }
  }

  #replyNotReady(request: number, arc: ArcId): void {
    const details = { retryAfter: limits.RETRY_AFTER_SECONDS }
    const message = `${this.#reasonNotServing() ?? 'the node is starting'}; try again`
    const reply = { ok: false, code: 'not_ready', message, details } as const
    this.outputs.toApi({ kind: 'reply', request, arc, reply })
  }

  #enqueue(state: ArcState, proposal: PendingProposal, urgent: boolean): void {
    if (state.stopped !== null) return
    ;(urgent ? state.urgent : state.normal).push(proposal)
    this.#pendingCount += 1
    this.#openCount += 1
    this.#openChars += proposal.body.length
    this.#dirty.add(state)
  }

  #enqueueStarts(): void {
    for (const { arc, reservation } of this.#grants.takeStarts(this.#now.mono)) {
      const body = JSON.stringify({ kind: 'start' })
      this.#enqueue(this.#stateOf(arc), { request: 0, body, needs: [], reservation }, true)
    }
  }

  // ---- committed entries and what comes of them ---------------------------------------------------

  /** Hands committed entries to the ledger, in order (N2), as many as it may have at a time. */
  #deliver(state: ArcState): void {
    if (state.stopped !== null) return
    const { group, arc } = state
    while (state.delivered < group.commitIndex && this.#unapplied < limits.UNAPPLIED_ENTRIES_MAX) {
      const index = state.delivered + 1
      const entry = group.entry(index)
      if (entry === undefined) {
        const room = limits.REPLAY_ENTRIES_MAX - this.#unapplied
        if (room <= 0) break
        const to = Math.min(group.tailStart - 1, state.delivered + room)
        const count = this.outputs.replay(arc, index, to)
        state.delivered += count
        this.#unapplied += count
        continue
      }
      const request = state.requests.get(index) ?? 0
      state.requests.delete(index)
      this.outputs.toLedger({
        kind: 'entry',
        arc,
        term: entry.term,
        index,
        request,
        body: entry.payload,
      })
      state.delivered = index
      this.#unapplied += 1
    }
    group.release(Math.min(state.delivered, group.commitIndex))
  }

  #onApplied(arc: ArcId, index: LogIndex): void {
    const state = this.#stateOf(arc)
    if (state.stopped !== null) return
    assert(index >= state.applied && index <= state.delivered, `N2: arc ${arc} applied ${index}`)
    const wasServing = state.serving
    const done = state.noteApplied(index)
    this.#unapplied -= done.entries
    this.#openCount -= done.own
    this.#openChars -= done.chars
    this.#grants.applied(arc, index)
    if (!wasServing && state.serving) this.#onArcServing(state)
    this.#deliverMore(state)
    this.#checkStopped()
  }

  #onArcServing(state: ArcState): void {
    this.#notServing -= 1
    if (state.arc === SYSTEM_ARC) this.#rememberOffers()
    this.#checkServing()
  }

  /** The ledger has room again: the arc that made it goes on, then any arc that was held back. */
  #deliverMore(first: ArcState): void {
    this.#deliver(first)
    if (this.#unapplied >= limits.UNAPPLIED_ENTRIES_MAX) return
    for (const state of this.#arcs.values()) {
      if (state.delivered < state.group.commitIndex) this.#deliver(state)
    }
  }

  /**
   * An arc whose next entry this version cannot apply stands still; the node and its other arcs go
   * on (design §9). What it was asked is refused, what was on its way stays in the log.
   */
  #onStoppedArc(arc: ArcId, message: string): void {
    const state = this.#stateOf(arc)
    state.stopped = message
    const left = state.giveUp()
    this.#unapplied -= left.unapplied
    this.#pendingCount -= left.pending
    this.#openCount -= left.open
    this.#openChars -= left.chars
    this.#grants.applied(arc, Number.MAX_SAFE_INTEGER)
    this.#grants.setDemand(arc, {}, this.#now.mono)
    this.#timers.set(arc, null)
    this.outputs.toApi({ kind: 'alarm', code: 'apply_stopped', message: `arc ${arc}: ${message}` })
    for (const request of left.requests) if (request !== 0) this.#replyStopped(request, state)
    if (!state.serving) this.#onArcServing(state)
  }

  #replyStopped(request: number, { arc, stopped }: ArcState): void {
    const details = { retryAfter: limits.RETRY_AFTER_SECONDS }
    const message = stopped ?? 'the arc applies'
    const reply = { ok: false, code: 'apply_stopped', message, details } as const
    this.outputs.toApi({ kind: 'reply', request, arc, reply })
  }

  #onDispatch(dispatch: Dispatch): void {
    const reserved = this.#grants.dispatched(dispatch.arc, dispatch.index, dispatch.service)
    assert(reserved, `G1: ${dispatch.attempt} was started without a slot`)
    const { attempt } = dispatch
    this.#running.set(attempt, dispatch)
    this.outputs.toServices(dispatch)
    if (!this.#stopping.hasAborted) return
    this.outputs.toServices({ kind: 'abort', attempt, reason: 'stopping' })
  }

  #onEnded(attempt: string, body: string): void {
    const dispatch = this.#running.get(attempt)
    if (dispatch === undefined) return
    this.#running.delete(attempt)
    this.#slots.giveBack(dispatch.service, 1)
    const ref = JSON.stringify(parseAttemptId(attempt))
    const outcome = this.#stopping.outcomeOf(body)
    const command = `{"kind":"finish-attempt","attempt":${ref},"outcome":${outcome}}`
    const needs = dispatch.next
    this.#enqueue(this.#stateOf(dispatch.arc), { request: 0, body: command, needs }, true)
    this.#checkStopped()
  }

  // ---- status and end -----------------------------------------------------------------------------

  #sendStatus(request: number): void {
    this.outputs.toApi({ kind: 'status', request, body: JSON.stringify(this.status) })
  }

  #checkStopped(): void {
    const idle = this.#running.size === 0 && this.#openCount === 0 && this.#unapplied === 0
    if (this.#stopping.isOver(this.#now.mono, idle)) this.outputs.toLedger({ kind: 'close' })
  }

  #stateOf(arc: ArcId): ArcState {
    const state = this.#arcs.get(arc)
    assert(state !== undefined, `there is no arc ${arc}`)
    return state
  }
}

export interface EngineOptions {
  readonly self: EngineSelf
  /** Arcs of the ring; the system arc comes on top. A power of two. */
  readonly arcCount: number
  readonly recovered: ReadonlyMap<ArcId, EngineArcStart>
  readonly prng: Prng
}

export interface EngineSelf {
  readonly node: string
  readonly boot: number
}

/** What the log holds of an arc at start, and the arc time of its last entry (0: no entries). */
export interface EngineArcStart extends GroupStart {
  readonly firstIndex: LogIndex
  readonly lastTime: Instant
}

/** What the engine needs to know of the log store. */
export interface LogProgress {
  readonly full: boolean
  readonly syncs: number
  readonly bytesWritten: number
}

export interface EngineNow {
  readonly mono: Instant
  readonly wall: Instant
}

export interface EngineBatch {
  readonly records: readonly LogRecord[]
  readonly marks: ReadonlyMap<ArcId, PersistMark>
  readonly commandCount: number
}

interface Refusal {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, number>>
}

function tooLarge(chars: number): Refusal {
  const message =
    `the command has ${chars} characters with everything that its job definition brings, more than ` +
    `${limits.COMMAND_CHARS_MAX}; make its literal inputs smaller, or pass them by reference`
  return { code: 'payload_too_large', message, details: { limit: limits.COMMAND_CHARS_MAX } }
}

const NEW_ARC: EngineArcStart = { term: 0, vote: null, firstIndex: 1, lastIndex: 0, lastTime: 0 }
const TERM_START = JSON.stringify({ kind: 'term-start' })
