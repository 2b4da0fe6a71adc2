import type { Clock } from '../../ports/clock.js'
import type { WorkerHost } from '../../ports/worker-host.js'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import type {
  AbortReason,
  Dispatch,
  FromServices,
  ToServices,
} from '../../protocol/node/messages.js'
import { NOBODY, SilenceWatch } from './beat.js'
import { type HandlerSettings, NO_SETTINGS } from './handler-settings.js'
import * as limits from './limits.js'
import { LiveNews } from './live-news.js'
import { logWithGap } from './log-window.js'
import { outcomeBody } from './outcome.js'
import { checkedOutcome } from './reported-outcome.js'
import { outcomeOfAbort, type RunningAttempt, RunningAttempts } from './running-attempts.js'
import { ThreadLife } from './thread-life.js'
import type { BannedModule, FromThread, PluginSources, ServicesLogLine } from './thread-messages.js'

export interface SupervisorOptions {
  readonly clock: Clock
  readonly plugins: PluginSources
  /** Where lines about handlers, and lines that handlers write, go. */
  readonly log: (line: ServicesLogLine) => void
  /** Attempts in flight at a time, ≥ 1. */
  readonly totalSlots?: number
  /** Told before `offers`: services with a thread of their own, and the module that defines each. */
  readonly onIsolated?: (isolated: Readonly<Record<string, string>>) => void
  /** What handlers get of the node's configuration. */
  readonly settings?: HandlerSettings
  /** A handler's call of the hash table; `answer` may be called later, or never. */
  readonly onCall?: (body: string, answer: (body: string) => void) => void
  readonly blockedWarnMs?: number
  readonly blockedAfterMs?: number
  readonly abortGraceMs?: number
  readonly exitPatienceMs?: number
  readonly loadMs?: number
  readonly heapMb?: number
  /** Where the thread notes how it is. */
  readonly vitals?: SharedArrayBuffer | null
}

/** Why a thread is being ended on purpose: whose attempt is to blame, if anyone's. */
interface Verdict {
  readonly kind: 'blocked' | 'ignored-abort' | 'stopping'
  readonly culprit: RunningAttempt | undefined
}

/**
 * Runs in the engine thread and answers for the services thread: starts it, watches it, ends it when a
 * handler blocks it or ignores its abort signal, and starts it again.
 *
 * Not its job: loading plugins and running handlers (services-thread.ts), deciding on retries (the
 * ledger).
 *
 * The life of a thread: *starting* (plugins load) → *up* (`offers` sent) → *gone* → a wait when it
 * lived shortly → *starting*. Whatever ends it, `withdrawn` is reported as soon as that is decided and
 * the `ended` of its attempts once its code can no longer run (port promise W2).
 *
 * How the attempts of a dead thread end: one that had been asked to stop, as asked; the one whose
 * code was on the CPU, `timed_out` when it had blocked the thread and `lost`, charged, when the
 * thread died under it; all others `lost`, uncharged. One that never reached a thread `not_started`.
 */
export class ServicesSupervisor implements WorkerHost {
  readonly #options: Required<SupervisorOptions>
  readonly #running = new RunningAttempts()
  readonly #news: LiveNews
  readonly #watch: SilenceWatch
  readonly #lookMs: number
  readonly #banned: BannedModule[] = []
  #receive: (messages: readonly FromServices[]) => void = () => {}
  #outputs: FromServices[] = []
  #life: ThreadLife | null = null
  #phase: 'idle' | 'starting' | 'up' | 'ending' | 'waiting' | 'stopped' = 'idle'
  #loading: string | null = null
  #verdict: Verdict | null = null
  #startedAt = 0
  /** When a look last found the thread silent for longer than is usual. */
  #silentAt = Number.NEGATIVE_INFINITY
  #restartDelayMs = 0
  #cancelLook: (() => void) | null = null
  #cancelRestart: (() => void) | null = null
  #whenStopped: (() => void)[] = []
  #stopping = false

  constructor(options: SupervisorOptions) {
    this.#options = {
      totalSlots: limits.TOTAL_SLOTS_DEFAULT,
      blockedWarnMs: limits.BLOCKED_WARN_MS,
      blockedAfterMs: limits.BLOCKED_AFTER_MS,
      abortGraceMs: limits.ABORT_GRACE_MS,
      exitPatienceMs: limits.THREAD_EXIT_PATIENCE_MS,
      loadMs: limits.PLUGIN_LOAD_MS,
      heapMb: limits.THREAD_HEAP_MB,
      vitals: null,
      onIsolated: () => {},
      settings: NO_SETTINGS,
      onCall: () => {},
      ...options,
    }
    const { blockedWarnMs: warnMs, clock } = this.#options
    this.#news = new LiveNews({ clock, noted: (message) => this.#output(message) })
    this.#lookMs = Math.max(1, Math.floor(warnMs / limits.BEATS_PER_WARNING))
    this.#watch = new SilenceWatch({ warnMs, lookMs: this.#lookMs })
  }

  /** True while the thread runs what it is given. */
  get isUp(): boolean {
    return this.#phase === 'up' && !this.#stopping
  }

  onReceive(receive: (messages: readonly FromServices[]) => void): void {
    this.#receive = receive
  }

  start(): void {
    if (this.#phase === 'idle') this.#startThread()
  }

  send(message: ToServices): void {
    if (message.kind === 'dispatch') this.#dispatch(message)
    else if (message.kind === 'abort') this.#abort(message.attempt, message.reason)
  }

  stop(done: () => void): void {
    this.#whenStopped.push(done)
    if (this.#stopping) {
      if (this.#phase === 'stopped') this.#becomeStopped()
      return
    }
    this.#stopping = true
    for (const { attempt } of this.#running.all()) this.#abort(attempt, 'stopping')
    this.#stopWhenIdle()
  }

  // ---- attempts ----------------------------------------------------------------------------------

  #dispatch(dispatch: Dispatch): void {
    if (this.#running.has(dispatch.attempt)) {
      this.#log('error', `attempt ${dispatch.attempt} was dispatched twice; the second is ignored`)
      return
    }
    const isFull = this.#running.count >= this.#options.totalSlots
    if (this.#phase !== 'up' || this.#stopping || isFull) {
      const body = outcomeBody({ kind: 'not_started' })
      return this.#output({ kind: 'ended', attempt: dispatch.attempt, body })
    }
    const running = this.#running.add(dispatch)
    this.#life?.post({ kind: 'run', serial: running.serial, dispatch })
    if (this.#running.count === 1) this.#lookAgain()
  }

  #abort(attempt: string, reason: AbortReason): void {
    const running = this.#running.get(attempt)
    if (running === undefined || running.aborted !== null) return
    running.aborted = reason
    this.#life?.post({ kind: 'abort', attempt, reason })
    this.#armGrace(running)
  }

  /**
   * A thread that was silent meanwhile may not even have heard of the abort: whether it is blocked is
   * decided by its beat, and the grace begins again, for as long as a thread may be silent.
   */
  #armGrace(running: RunningAttempt, abortedAt = this.#now): void {
    const { clock, abortGraceMs, blockedAfterMs } = this.#options
    running.cancelGrace = clock.alarm(abortGraceMs, () => {
      const wasSilent = this.#now - this.#silentAt < abortGraceMs + this.#lookMs
      const mayWait = this.#now - abortedAt < blockedAfterMs + abortGraceMs
      if (wasSilent && mayWait) return this.#armGrace(running, abortedAt)
      this.#endThread({ kind: 'ignored-abort', culprit: running })
    })
  }

  #settled(attempt: string, body: string): void {
    const running = this.#running.remove(attempt)
    if (running === undefined) return
    const checked = checkedOutcome(body)
    if (checked !== body) this.#log('error', `${nameOf(running)} reported what is no outcome`)
    this.#report(running, checked)
    this.#stopWhenIdle()
  }

  #report({ attempt, log }: RunningAttempt, body: string): void {
    this.#output({ kind: 'ended', attempt, body, ...log.takeLast() })
  }

  // ---- the thread's life ---------------------------------------------------------------------------

  #startThread(): void {
    const { clock, plugins, loadMs, heapMb, exitPatienceMs, settings, vitals } = this.#options
    this.#phase = 'starting'
    this.#verdict = null
    this.#loading = null
    this.#startedAt = this.#now
    const banned = [...this.#banned]
    const measured = vitals === null ? {} : { vitals }
    const setup = { plugins, banned, loadMs, beatMs: this.#lookMs, settings, ...measured }
    const life: ThreadLife = new ThreadLife({
      name: 'gyre-services',
      clock,
      setup,
      heapMb,
      exitPatienceMs,
      onMessages: (messages) => {
        for (const message of messages) this.#onMessage(life, message)
      },
      onGone: (cause) => this.#onGone(life, cause),
    })
    this.#life = life
    this.#lookAgain()
  }

  #onMessage(life: ThreadLife, message: FromThread): void {
    switch (message.kind) {
      case 'loading':
        this.#loading = message.module
        return this.#lookAgain()
      case 'ready':
        return this.#becomeUp(message)
      case 'ended':
        return this.#settled(message.attempt, message.body)
      case 'log':
        return this.#keep(message)
      case 'call': {
        const { call } = message
        const answer = (body: string): void => life.post({ kind: 'answer', call, body })
        return this.#options.onCall(message.body, answer)
      }
    }
  }

  /** A handler's line goes into the node's log and, soon, into the ledger. */
  #keep(line: ServicesLogLine): void {
    logWithGap(line, this.#options.log)
    const running = this.#running.of(line)
    if (running !== undefined) this.#news.add(running, line)
  }

  #becomeUp(message: Extract<FromThread, { readonly kind: 'ready' }>): void {
    if (this.#phase !== 'starting') return
    this.#phase = 'up'
    this.#loading = null
    const { slots, isolated, body } = message
    this.#options.onIsolated(isolated)
    this.#output({ kind: 'offers', slots, totalSlots: this.#options.totalSlots, body })
  }

  /** Withdraws at once; the attempts are reported when the thread's code has really stopped. */
  #endThread(verdict: Verdict): void {
    if (this.#life === null || this.#phase === 'ending') return
    this.#verdict = verdict
    this.#explain(verdict)
    this.#withdraw()
    this.#phase = 'ending'
    this.#life.terminate(verdict.kind)
  }

  #withdraw(): void {
    if (this.#phase === 'up') this.#output({ kind: 'withdrawn' })
  }

  #onGone(life: ThreadLife, cause: string): void {
    const verdict = this.#verdict
    const onCpu = this.#running.findBySerial(life.beat.onCpu)
    if (verdict === null) {
      const suspect = onCpu === undefined ? '' : `; on its CPU was ${nameOf(onCpu)}`
      this.#log('error', `the services thread is gone: ${cause}${suspect}; it is started again`)
    }
    this.#withdraw()
    this.#life = null
    this.#cancelLook?.()
    this.#cancelLook = null
    this.#banLoading(verdict)
    for (const running of this.#running.removeAll()) {
      running.log.lose(life.beat.heldOf(running.serial))
      this.#report(running, outcomeBody(outcomeAtDeath(running, verdict, onCpu)))
    }
    if (this.#stopping) return this.#becomeStopped()
    this.#restart()
  }

  /** A module that ends or blocks the thread while it loads is left out from then on. */
  #banLoading(verdict: Verdict | null): void {
    if (this.#loading === null || verdict?.kind === 'stopping') return
    const reason = verdict === null ? 'died' : 'blocked'
    this.#banned.push({ module: this.#loading, reason })
    this.#restartDelayMs = 0
  }

  #restart(): void {
    const { clock } = this.#options
    const livedMs = this.#now - this.#startedAt
    const delayMs = livedMs >= limits.RESTART_STABLE_MS ? 0 : this.#restartDelayMs
    this.#restartDelayMs = Math.min(
      limits.RESTART_DELAY_MS_MAX,
      Math.max(limits.RESTART_DELAY_MS_MIN, 2 * delayMs),
    )
    this.#phase = 'waiting'
    this.#cancelRestart = clock.alarm(delayMs, () => this.#startThread())
  }

  #stopWhenIdle(): void {
    if (!this.#stopping || this.#running.count > 0) return
    this.#cancelRestart?.()
    if (this.#life === null) return this.#becomeStopped()
    this.#endThread({ kind: 'stopping', culprit: undefined })
  }

  #becomeStopped(): void {
    this.#phase = 'stopped'
    const done = this.#whenStopped
    this.#whenStopped = []
    this.#options.clock.soon(() => {
      for (const tell of done) tell()
    })
  }

  // ---- watching ------------------------------------------------------------------------------------

  /** Looks at the beat while something loads or runs; an idle thread neither beats nor is watched. */
  #lookAgain(): void {
    const isLoading = this.#phase === 'starting'
    const { blockedWarnMs, loadMs } = this.#options
    const warnMs = isLoading ? Math.max(blockedWarnMs, loadMs / LOADS_QUIETLY) : blockedWarnMs
    this.#watch.reset(this.#blockedMs, warnMs)
    if (this.#cancelLook === null) this.#armLook()
  }

  /** A module that is loading gets as long for its silence as for all of its loading. */
  get #blockedMs(): number {
    if (this.#phase !== 'starting') return this.#options.blockedAfterMs
    return this.#loading === null ? limits.THREAD_START_MS : this.#options.loadMs
  }

  /** None of anybody's modules has begun to load. */
  get #isBooting(): boolean {
    return this.#phase === 'starting' && this.#loading === null
  }

  #armLook(): void {
    this.#cancelLook = this.#options.clock.alarm(this.#lookMs, () => {
      this.#cancelLook = null
      this.#look()
    })
  }

  #look(): void {
    const life = this.#life
    const isBusy = this.#phase === 'starting' || this.#running.count > 0
    if (life === null || this.#phase === 'ending' || !isBusy) return
    life.checkHeap()
    const silence = this.#watch.look(this.#now, life.beat.count)
    if (this.#watch.silentMs >= this.#options.blockedWarnMs) this.#silentAt = this.#now
    if (silence === 'suspicious' && !this.#isBooting) {
      const silentMs = Math.round(this.#watch.silentMs)
      this.#log('warn', `${this.#describeCpu(life)} has blocked its thread for ${silentMs} ms`)
      const service = this.#running.findBySerial(life.beat.onCpu)?.service
      if (service !== undefined) this.#output({ kind: 'blocked', service })
    }
    if (silence === 'blocked') {
      const culprit = this.#running.findBySerial(life.beat.onCpu)
      return this.#endThread({ kind: 'blocked', culprit })
    }
    this.#armLook()
  }

  #describeCpu(life: ThreadLife): string {
    if (this.#isBooting) return 'the start of the thread'
    if (this.#phase === 'starting') return `the module ${this.#loading}`
    const serial = life.beat.onCpu
    const running = this.#running.findBySerial(serial)
    if (running !== undefined) return nameOf(running)
    return serial === NOBODY ? 'code of a plugin outside any attempt' : 'an attempt that ended'
  }

  #explain({ kind, culprit }: Verdict): void {
    if (kind === 'stopping' || this.#life === null) return
    const who = culprit === undefined ? this.#describeCpu(this.#life) : nameOf(culprit)
    const what =
      kind === 'blocked'
        ? `has blocked its thread for ${Math.round(this.#watch.silentMs)} ms`
        : `has not settled ${this.#options.abortGraceMs} ms after its abort signal`
    const others =
      this.#running.count - (culprit !== undefined && this.#running.has(culprit.attempt) ? 1 : 0)
    const rest = `the thread is restarted and ${others} other attempts are tried again`
    this.#options.log({
      level: 'error',
      message: `${who} ${what}; ${rest}. Await something often, and heed ctx.signal.`,
      fields: culprit === undefined ? {} : fieldsOf(culprit),
    })
  }

  get #now(): number {
    return this.#options.clock.now().mono
  }

  #log(level: ServicesLogLine['level'], message: string): void {
    this.#options.log({ level, message, fields: {} })
  }

  /** Collected for the rest of the turn (port promise W4). */
  #output(message: FromServices): void {
    this.#outputs.push(message)
    if (this.#outputs.length > 1) return
    this.#options.clock.soon(() => {
      const outputs = this.#outputs
      this.#outputs = []
      this.#receive(outputs)
    })
  }
}

/** Compiling a module takes its time: it is named once it was silent for this part of what it may take. */
const LOADS_QUIETLY = 6

function outcomeAtDeath(
  running: RunningAttempt,
  verdict: Verdict | null,
  onCpu: RunningAttempt | undefined,
): AttemptOutcome {
  if (running.aborted !== null) return outcomeOfAbort(running.aborted)
  if (verdict?.kind === 'blocked' && running === verdict.culprit) return { kind: 'timed_out' }
  return { kind: 'lost', charged: verdict === null && running === onCpu }
}

function nameOf({ service, hook, attempt }: RunningAttempt): string {
  const handler = hook === 'run' ? service : `${service} (compensate)`
  return `service ${handler}, attempt ${attempt},`
}

function fieldsOf({ service, hook, attempt, job, step }: RunningAttempt): Record<string, unknown> {
  return { service, hook, attempt, job, step }
}
