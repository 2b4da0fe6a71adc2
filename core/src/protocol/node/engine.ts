import { assert, broken, unreachable } from '../../base/assert.js'
import { type ArcId, type Instant, type LogIndex, SYSTEM_ARC } from '../../base/ids.js'
import type { Prng } from '../../base/prng.js'
import type { PersistMark } from '../raft/group.js'
import { Admission } from './admission.js'
import type { ArcState, NewProposal } from './arc-state.js'
import { buildBatch } from './build-batch.js'
import { Delivery } from './delivery.js'
import { EngineTally } from './engine-tally.js'
import { EngineOutputs } from './engine-outputs.js'
import type {
  EngineArcStart,
  EngineBatch,
  EngineNow,
  EngineOptions,
  EngineSelf,
  LogProgress,
  LogScrubProgress,
} from './engine-types.js'
import { Gate } from './gate.js'
import { Grants } from './grants.js'
import * as limits from './limits.js'
import { LedgerDebts } from './ledger-debts.js'
import { loadArcs } from './load-arcs.js'
import type {
  ArcStop,
  Dispatch,
  EngineStatus,
  FromApi,
  FromLedger,
  FromLedgerThread,
  FromServices,
} from './messages.js'
import { Memos } from './memos.js'
import { offerCommands, Readiness } from './readiness.js'
import { type Refusal, refusalReply } from './refusals.js'
import { RefusedServices } from './refused-services.js'
import { type AttemptCommand, RunningAttempts } from './running-attempts.js'
import { loadOf } from './service-loads.js'
import { Slots } from './slots.js'
import { StallWatch } from './stall-watch.js'
import { StoppedArcs } from './stopped-arcs.js'
import { Stopping } from './stopping.js'
import { StorageWatch } from './storage-watch.js'
import { Timers } from './timers.js'

/**
 * The engine of one node: consensus of all its arcs, what enters the log, who gets free slots, and
 * the way of everything between API, ledger and services. Pure: its host (runtime/engine-runtime.ts)
 * hands in messages and the time, and carries out what it asks for in the order persist → send.
 *
 * Not its job: what a command means (protocol/ledger), where bytes go (adapters), running handlers.
 *
 * Long on purpose: the hub of the star. Each message has a short method here; what it means has a class
 * of its own.
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
  /** Services whose handlers have blocked the shared thread, and how often; at most all that were offered. */
  readonly #blocked = new Map<string, number>()
  readonly #grants: Grants
  readonly #timers = new Timers((arc, at) => this.#monoOf(arc, at))
  readonly #stopping = new Stopping()
  readonly #memos = new Memos()
  readonly #refused: RefusedServices
  readonly #running: RunningAttempts
  #now: EngineNow = { mono: 0, wall: 0 }
  readonly #readiness: Readiness
  readonly #admission = new Admission()
  readonly #delivery = new Delivery(this.outputs)
  readonly #storage = new StorageWatch(this.outputs)
  readonly #tally = new EngineTally()
  readonly #debts = new LedgerDebts()
  readonly #stalls = new StallWatch(this.outputs, {
    logIsBusy: () => this.#logIsBusy && !this.#storage.waitsForRoom,
    hasUnapplied: () => !this.#delivery.isIdle,
    debts: this.#debts,
  })
  readonly #gate: Gate
  readonly #stopped: StoppedArcs
  #batchInFlight = false
  #logIsBusy = false

  constructor(options: EngineOptions) {
    this.#self = options.self
    this.#grants = new Grants(this.#slots, options.self)
    this.#running = new RunningAttempts({
      outputs: this.outputs,
      grants: this.#grants,
      slots: this.#slots,
      stopping: this.#stopping,
      memos: this.#memos,
    })
    this.#refused = new RefusedServices(options.self.node)
    this.#prng = options.prng
    this.#recovered = options.recovered
    this.#arcIds = [...Array(options.arcCount).keys(), SYSTEM_ARC]
    this.#readiness = new Readiness(this.#arcIds.length)
    this.#stopped = new StoppedArcs({
      outputs: this.outputs,
      delivery: this.#delivery,
      admission: this.#admission,
      grants: this.#grants,
      timers: this.#timers,
      refuse: (request, arc, refusal) => this.#refuse(request, arc, refusal),
    })
    this.#gate = new Gate({
      readiness: this.#readiness,
      stopping: this.#stopping,
      stalls: this.#stalls,
      admission: this.#admission,
    })
  }

  /** True when `takeBatch` would have something for the log. */
  get hasBatch(): boolean {
    return this.#dirty.size > 0 || (this.#gate.mayStart && this.#grants.hasStarts)
  }

  /** True while the state store has no room for what was applied. */
  get stateIsFull(): boolean {
    return this.#admission.stateIsFull
  }

  /** When to call `onAlarm` at the latest, monotonic milliseconds; null: nothing is due. */
  get alarmAt(): Instant | null {
    const { mono } = this.#now
    const ats = [this.#stopping.nextAt, this.#timers.earliest(mono), this.#stalls.nextAt].filter(
      (at) => at !== null,
    )
    if (ats.length === 0) return null
    return mono + Math.min(Math.max(Math.min(...ats) - mono, 1), limits.ALARM_MAX_MS)
  }

  /** Says what time it is; before every input of a turn. */
  tick(now: EngineNow): void {
    assert(now.mono >= this.#now.mono, 'the monotonic clock went back')
    this.#now = now
    this.#stalls.tick(now.mono)
  }

  onApi(message: FromApi): void {
    switch (message.kind) {
      case 'propose':
        return this.#onPropose(message)
      case 'query':
        return this.#onQuery(message)
      case 'unwatch':
        this.#debts.noteUnwatched(message.request)
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
    this.#stalls.noteStateSign(message)
    this.#checkServing()
    switch (message.kind) {
      case 'loaded':
        return this.#onLoaded(message)
      case 'reply':
        return this.outputs.toApi(message)
      case 'dispatch':
        return this.#onDispatch(message)
      case 'abort':
        return this.outputs.toServices(message)
      case 'demand':
        this.#grants.setDemand(message.arc, message.ready, this.#now.mono)
        return this.#tellRefusals(this.#stateOf(message.arc))
      case 'timer':
        return this.#timers.set(message.arc, message.at)
      case 'keep-memo':
        return this.#enqueue(this.#stateOf(message.arc), unasked(message.body), true)
      case 'leases':
        return this.#onLeases(message)
      case 'refusals':
        return this.#refused.noteKnown(message.arc, message.refused)
      case 'applied':
        return this.#onApplied(message.arc, message.index)
      case 'stopped-arc':
        return this.#onStoppedArc(message.arc, { code: message.code, message: message.message })
      case 'durable':
        return this.outputs.compact(message.applied)
      case 'state-full':
        this.#admission.setStateFull(message.full)
        return this.#storage.noteStateFull(message.full)
      case 'scrubbed':
        return this.#storage.noteStateScrub(message)
      case 'signed':
        return
      case 'closed':
        return this.outputs.toApi({ kind: 'stopped' })
      default:
        return unreachable(message, 'message from the ledger')
    }
  }

  onServices(message: FromServices): void {
    switch (message.kind) {
      case 'propose':
      case 'query':
        return this.#onHandlerCall(message)
      case 'offers':
        return this.#onOffers(message)
      case 'blocked':
        this.#blocked.set(message.service, (this.#blocked.get(message.service) ?? 0) + 1)
        return
      case 'withdrawn':
        return this.#slots.offer({}, 0)
      case 'noted':
        return this.#onNoted(message)
      case 'ended':
        return this.#onEnded(message)
      default:
        return unreachable(message, 'message from the services')
    }
  }

  /** The alarm rang (or any later moment): timers that are due enter the log. */
  onAlarm(): void {
    for (const arc of this.#timers.takeDue(this.#now.mono)) {
      const body = JSON.stringify({ kind: 'fire' })
      const services = this.#slots.services()
      const needs = services.length <= limits.FIRE_SERVICES_MAX ? services : []
      this.#enqueue(this.#stateOf(arc), { request: 0, body, needs }, true)
    }
    if (this.#stopping.shouldAbort(this.#now.mono)) this.#running.abortAll()
    this.#checkStopped()
  }

  /** How the log does: short of room it lives on its spare segment and new work is refused. */
  setLogProgress(progress: LogProgress): void {
    const isNews = this.#admission.setLogShortage(progress.shortage)
    if (isNews) this.outputs.toLedger({ kind: 'checkpoint' })
    this.#storage.setLogProgress(progress, this.stateIsFull)
  }

  /** How far the background has come with verifying the log. */
  setLogScrub(progress: LogScrubProgress): void {
    this.#storage.logScrub = progress
  }

  /** The host writes to the log, be it a batch of this engine or an empty one … */
  noteLogWrite(): void {
    this.#logIsBusy = true
  }

  /** … and it is durable. */
  noteLogWritten(): void {
    this.#logIsBusy = false
    this.#stalls.noteLogSign()
    this.#checkServing()
  }

  /** Records for one log batch; the host makes them durable, then calls `onPersisted`. */
  takeBatch(): EngineBatch | null {
    assert(!this.#batchInFlight, 'a batch is taken while one is in flight')
    if (this.#gate.mayStart) this.#enqueueStarts()
    const batch = buildBatch(this.#dirty, {
      grants: this.#grants,
      mayStart: this.#gate.mayStart,
      prng: this.#prng,
      now: this.#now,
    })
    if (batch === null) return null
    this.#admission.noteInLog(batch.takenAts.length)
    this.#batchInFlight = true
    this.#tally.batchTaken(batch, this.#now.mono)
    return batch
  }

  /** The batch is durable: votes count, entries commit and go to the ledger (N1). */
  onPersisted(marks: ReadonlyMap<ArcId, PersistMark>): void {
    this.#batchInFlight = false
    this.#tally.batchSynced(this.#now.mono)
    for (const [arc, mark] of marks) {
      const state = this.#stateOf(arc)
      state.group.persisted(mark)
      if (state.termStartIndex === 0 && state.group.role === 'leader') this.#onLeading(state)
      if (state.stopped !== null) this.#stopped.noteKept(state)
      this.#delivery.deliver(state)
    }
    this.#checkStopped()
  }

  get status(): EngineStatus {
    return {
      serving: this.#gate.isOpen,
      reason: this.#gate.reason,
      stopping: this.#stopping.began,
      pendingProposals: this.#admission.waiting,
      figures: this.#tally.figures,
      runningAttempts: this.#running.count,
      services: loadOf(this.#slots, this.#grants, this.#blocked, (arc, since) =>
        this.#stateOf(arc).waitedMs(since, this.#now),
      ),
      resources: this.#slots.resources(),
      stopped: [...this.#arcs.values()].flatMap(({ arc, stopped }) =>
        stopped === null ? [] : [[arc, stopped.code] as const],
      ),
      stalledMs: this.#stalls.status,
      ...this.#storage.status,
      arcs: [...this.#arcs.values()].map((state) => state.status),
    }
  }

  // ---- start --------------------------------------------------------------------------------------

  #onLoaded({ applied, damaged = [] }: Extract<FromLedger, { kind: 'loaded' }>): void {
    const arcs = loadArcs({
      self: this.#self,
      arcIds: this.#arcIds,
      recovered: this.#recovered,
      applied,
      damaged,
    })
    if ('code' in arcs) return this.outputs.toApi({ kind: 'fatal', ...arcs })
    for (const { state, damage } of arcs) {
      this.#arcs.set(state.arc, state)
      state.group.campaign()
      this.#dirty.add(state)
      if (damage === 'rebuild') this.outputs.toLedger({ kind: 'rebuild', arc: state.arc })
      else if (damage !== null) this.#onStoppedArc(state.arc, damage)
    }
  }

  #onLeading(state: ArcState): void {
    state.startClock(this.#now.mono, this.#now.wall)
    this.#enqueue(state, unasked(TERM_START), true)
    state.termStartIndex = state.group.lastIndex + 1
  }

  /** Attempts leased by this node's earlier lives are over: their process is gone, this is its proof. */
  #onLeases(message: Extract<FromLedger, { kind: 'leases' }>): void {
    const { node, boot } = this.#self
    if (!message.workers.some((worker) => worker.node === node && worker.boot < boot)) return
    const body = JSON.stringify({ kind: 'lose-worker', node, beforeBoot: boot })
    this.#enqueue(this.#stateOf(message.arc), unasked(body), true)
  }

  #onOffers(message: Extract<FromServices, { kind: 'offers' }>): void {
    this.#slots.offer(message.slots, message.totalSlots, message.capacity)
    this.#readiness.noteOffers(message.body)
    this.#memos.noteOffers(message.body)
    this.#refused.noteOffers(message.body)
    this.outputs.toApi({ kind: 'offers', body: message.body })
    this.#rememberOffers()
    for (const state of this.#arcs.values()) this.#tellRefusals(state)
    this.#checkServing()
  }

  /** Who waits for a service that this node refuses is to find that in its history. */
  #tellRefusals(state: ArcState): void {
    if (!state.serving || this.#stopping.began) return
    const news = this.#refused.newsFor(state.arc, () => this.#grants.waitedForIn(state.arc))
    for (const body of news) this.#enqueue(state, unasked(body), true)
  }

  /** The ring remembers for ever which services were offered, so that one can be missing and known. */
  #rememberOffers(): void {
    const system = this.#arcs.get(SYSTEM_ARC)
    const { offersBody } = this.#readiness
    if (system === undefined || !system.serving || offersBody === null) return
    for (const body of offerCommands(offersBody)) this.#enqueue(system, unasked(body), true)
  }

  #checkServing(): void {
    if (this.#gate.justOpened()) this.#sendStatus(0)
  }

  // ---- proposals and reads ------------------------------------------------------------------------

  #onPropose(message: Proposal): void {
    const { request, arc, body, needs, sheddable } = message
    const refusal = this.#gate.refusalOf(message)
    if (refusal !== null) return this.#refuse(request, arc, refusal)
    const state = this.#stateOf(arc)
    if (state.stopped !== null) return this.#stopped.refuse(request, state)
    this.#enqueue(state, { request, body, needs }, !sheddable)
  }

  /** What a handler writes belongs to work that was taken: like a completion, it is never shed. */
  #onHandlerCall({ kind, request, arc, body }: HandlerCall): void {
    const call = { request: -request, arc, body }
    if (kind === 'query') this.#onQuery({ kind, ...call })
    else this.#onPropose({ kind, ...call, needs: [], sheddable: false })
  }

  /**
   * A read sees every write that was acknowledged before it: those are applied, and the ledger takes
   * its messages in order.
   */
  #onQuery(message: Extract<FromApi, { kind: 'query' }>): void {
    const { request, arc, body } = message
    const refusal = this.#gate.readRefusal()
    if (refusal !== null) return this.#refuse(request, arc ?? 0, refusal)
    const state = arc === null ? undefined : this.#arcs.get(arc)
    // Only the engine knows whether its log can rebuild it.
    if (state !== undefined && state.stopped !== null) return this.#stopped.refuse(request, state)
    this.#debts.noteRead(request)
    this.outputs.toLedger({ kind: 'query', request, arc, body })
  }

  #refuse(request: number, arc: ArcId, refusal: Refusal): void {
    this.#tally.refused(refusal.code)
    this.outputs.toApi(refusalReply(request, arc, refusal))
  }

  #enqueue(state: ArcState, proposal: NewProposal, urgent: boolean): void {
    if (state.stopped !== null && proposal.isReport !== true) return
    state[urgent ? 'urgent' : 'normal'].push({ ...proposal, takenAt: this.#now.mono })
    this.#admission.noteTaken(proposal.body.length)
    this.#dirty.add(state)
  }

  #enqueueStarts(): void {
    for (const { arc, reservation } of this.#grants.takeStarts(this.#now.mono)) {
      const body = JSON.stringify({ kind: 'start' })
      this.#enqueue(this.#stateOf(arc), { request: 0, body, needs: [], reservation }, true)
    }
  }

  // ---- committed entries and what comes of them ---------------------------------------------------

  #onApplied(arc: ArcId, index: LogIndex): void {
    const state = this.#stateOf(arc)
    if (state.stopped !== null) return
    const wasServing = state.serving
    const { own, chars } = this.#delivery.noteApplied(state, index)
    this.#admission.noteApplied(own, chars)
    this.#grants.applied(arc, index)
    if (!wasServing && state.serving) this.#onArcServing(state)
    this.#delivery.goOn(state)
    this.#checkStopped()
  }

  #onArcServing(state: ArcState): void {
    this.#readiness.noteArcServing()
    if (state.arc === SYSTEM_ARC) this.#rememberOffers()
    this.#tellRefusals(state)
    this.#checkServing()
  }

  #onStoppedArc(arc: ArcId, stop: ArcStop): void {
    const state = this.#stateOf(arc)
    const isNews = this.#stopped.stop(state, stop, this.#now.mono)
    if (isNews && !state.serving) this.#onArcServing(state)
  }

  /** No work depends on it: where new work is refused, it waits until there is room, or for the report. */
  #onNoted(news: Extract<FromServices, { kind: 'noted' }>): void {
    const canTake = (arc: ArcId): boolean => this.#stateOf(arc).stopped === null
    const hasRoom = (arc: ArcId): boolean => this.#gate.hasRoom && canTake(arc)
    const noted = this.#running.note(news.attempt, news, hasRoom)
    if (noted !== null) this.#enqueueOf(noted, { needs: [] })
  }

  #onDispatch(dispatch: Dispatch): void {
    const known = this.#running.begin(dispatch)
    if (known !== null) this.#onEnded({ kind: 'ended', attempt: dispatch.attempt, body: known })
  }

  #onEnded(report: Extract<FromServices, { kind: 'ended' }>): void {
    const ended = this.#running.end(report.attempt, report.body, report)
    if (ended === null) return
    this.#enqueueOf(ended, { needs: ended.dispatch.next, isReport: true })
    this.#checkStopped()
  }

  #enqueueOf(
    { dispatch, command: body }: AttemptCommand,
    more: Pick<NewProposal, 'needs' | 'isReport'>,
  ): void {
    this.#enqueue(this.#stateOf(dispatch.arc), { request: 0, body, ...more }, true)
  }

  // ---- status and end -----------------------------------------------------------------------------

  #sendStatus(request: number): void {
    this.outputs.toApi({ kind: 'status', request, body: JSON.stringify(this.status) })
  }

  #checkStopped(): void {
    const idle = this.#running.count === 0 && this.#admission.open === 0 && this.#delivery.isIdle
    if (!this.#stopping.isOver(this.#now.mono, idle)) return
    this.#debts.noteClose()
    this.outputs.toLedger({ kind: 'close' })
  }

  /** When the arc's time will be `at`, as its clock runs now. */
  #monoOf(arc: ArcId, at: Instant): Instant {
    const { mono, wall } = this.#now
    return mono + at - this.#stateOf(arc).time(mono, wall)
  }

  #stateOf(arc: ArcId): ArcState {
    const state = this.#arcs.get(arc)
    return state ?? broken(`there is no arc ${arc}`)
  }
}

type Proposal = Extract<FromApi, { readonly kind: 'propose' }>
type HandlerCall = Extract<FromServices, { readonly kind: 'propose' | 'query' }>

/** A command that nobody waits for, and that makes nothing ready. */
function unasked(body: string): NewProposal {
  return { request: 0, body, needs: [] }
}

const TERM_START = JSON.stringify({ kind: 'term-start' })
