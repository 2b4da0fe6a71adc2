import type { Clock } from '../../ports/clock.js'
import type { AbortReason, Dispatch } from '../../protocol/node/messages.js'
import type { HandlerSettings } from './handler-settings.js'
import type { JobError } from '@gyre/jobs'
import { POOL_LOOK_MS } from './limits.js'
import type { LiveNews } from './live-news.js'
import { logWithGap } from './log-window.js'
import { failedBody, outcomeBody } from './outcome.js'
import { outcomeOfAbort, type RunningAttempt } from './running-attempts.js'
import { ThreadLife } from './thread-life.js'
import type { FromThread, ServicesLogLine } from './thread-messages.js'

export interface PooledThreadOptions {
  readonly clock: Clock
  readonly modules: readonly string[]
  readonly settings: HandlerSettings
  readonly onCall: (body: string, answer: (body: string) => void) => void
  readonly log: (line: ServicesLogLine) => void
  readonly news: LiveNews
  readonly abortGraceMs: number
  readonly exitPatienceMs: number
  readonly idleMs: number
  readonly loadMs: number
  readonly heapMb: number
  /** The attempt has ended and its code can run no more. */
  readonly settled: (running: RunningAttempt, body: string) => void
  /** The thread is gone; its attempt, if it had one, was settled before. */
  readonly gone: () => void
}

type ThreadState = 'starting' | 'up' | 'ending'

/**
 * One thread of the pool, with at most one attempt at a time.
 *
 * *starting* (modules load) → *up*, idle or with an attempt → *ending* → gone. An attempt is posted
 * when the thread is up. How one ends whose thread is gone: as asked if it had been asked to stop;
 * `failed` when it used more memory than it may; else `lost`, charged to it when it was its code that was
 * on the CPU.
 */
export class PooledThread {
  readonly #options: PooledThreadOptions
  readonly #life: ThreadLife
  #state: ThreadState = 'starting'
  #current: { readonly running: RunningAttempt; readonly dispatch: Dispatch } | null = null
  /** To be ended with its attempt, without another one. */
  #isRetired = false
  #offered: Readonly<Record<string, number>> = {}
  #cancelIdle: (() => void) | null = null

  constructor(options: PooledThreadOptions) {
    this.#options = options
    const { clock, modules, settings, loadMs, heapMb, exitPatienceMs } = options
    this.#life = new ThreadLife({
      name: 'gyre-pool',
      clock,
      // It may be silent for as long as its attempt may run; the heap watch alone listens to its beat.
      setup: { plugins: { modules, folders: [] }, banned: [], loadMs, beatMs: BEAT_MS, settings },
      heapMb,
      exitPatienceMs,
      onMessages: (messages) => {
        for (const message of messages) this.#onMessage(message)
      },
      onGone: (cause) => this.#onGone(cause),
    })
  }

  get isIdle(): boolean {
    const isUp = this.#state === 'up' && !this.#isRetired && !this.isEnding
    return this.#current === null && isUp
  }

  /** False: it is on its way out and holds nobody's attempt. */
  get isTaken(): boolean {
    return this.#current !== null || (this.#state !== 'ending' && !this.isEnding)
  }

  runs(running: RunningAttempt): boolean {
    return this.#current?.running === running
  }

  run(running: RunningAttempt, dispatch: Dispatch): void {
    this.#cancelIdle?.()
    this.#cancelIdle = null
    this.#current = { running, dispatch }
    if (this.#state === 'up') this.#post()
  }

  abort(running: RunningAttempt, reason: AbortReason): void {
    running.aborted = reason
    if (this.#state !== 'up') return this.#end(reason)
    const { attempt } = running
    this.#life.post({ kind: 'abort', attempt, reason })
    running.cancelGrace = this.#options.clock.alarm(this.#options.abortGraceMs, () => {
      this.#end(`its handler has not settled ${this.#options.abortGraceMs} ms after ${reason}`)
    })
  }

  /** Ends the thread now, or with the attempt that it runs. */
  retire(): void {
    this.#isRetired = true
    if (this.#current === null) this.#end('it is not needed any more')
  }

  get isEnding(): boolean {
    return this.#life.isEnding
  }

  checkHeap(): void {
    if (this.#current !== null) this.#life.checkHeap()
  }

  #post(): void {
    if (this.#current === null) return
    const { running, dispatch } = this.#current
    if (!Object.hasOwn(this.#offered, dispatch.service)) return this.#settle(NOT_LOADED)
    this.#life.post({ kind: 'run', serial: running.serial, dispatch })
  }

  #onMessage(message: FromThread): void {
    switch (message.kind) {
      case 'loading':
        return
      case 'ready':
        return this.#becomeUp(message.slots)
      case 'call': {
        const { call } = message
        const answer = (body: string): void => this.#life.post({ kind: 'answer', call, body })
        return this.#options.onCall(message.body, answer)
      }
      case 'ended':
        if (message.attempt === this.#current?.running.attempt) this.#settle(message.body)
        return
      case 'log':
        // The services thread has said the same about these modules when it loaded them.
        if (this.#state === 'starting' && message.level !== 'error') return
        logWithGap(message, this.#options.log)
        return this.#keep(message)
    }
  }

  #keep(line: ServicesLogLine): void {
    const running = this.#current?.running
    if (running === undefined || line.fields['attempt'] !== running.attempt) return
    this.#options.news.add(running, line)
  }

  #becomeUp(offered: Readonly<Record<string, number>>): void {
    if (this.#state !== 'starting') return
    this.#state = 'up'
    this.#offered = offered
    this.#post()
  }

  #settle(body: string): void {
    const running = this.#current?.running
    this.#current = null
    if (running === undefined) return
    if (this.#isRetired) this.#end('it is not needed any more')
    else if (this.#state === 'up')
      this.#cancelIdle = this.#options.clock.alarm(this.#options.idleMs, () => this.retire())
    this.#options.settled(running, body)
  }

  #end(cause: string): void {
    this.#state = 'ending'
    this.#cancelIdle?.()
    this.#life.terminate(cause)
  }

  #onGone(cause: string): void {
    const before = this.#state
    this.#state = 'ending'
    this.#cancelIdle?.()
    const running = this.#current?.running
    this.#current = null
    if (running !== undefined) {
      running.log.lose(this.#life.beat.heldOf(running.serial))
      this.#options.settled(running, this.#lastWord(running, cause, before))
    } else if (before !== 'ending') this.#log(`a thread of the pool is gone: ${cause}`, {})
    this.#options.gone()
  }

  #lastWord(running: RunningAttempt, cause: string, before: ThreadState): string {
    const { service, job, step, attempt, aborted } = running
    const fields = { service, job, step, attempt }
    if (aborted !== null) {
      this.#log(`the thread of service ${service} was ended: ${cause}`, fields)
      return outcomeBody(outcomeOfAbort(aborted))
    }
    this.#log(`the thread of service ${service} is gone: ${cause}`, fields)
    // Nobody asked the handler: it may have done its work, so its step is undone if the job fails.
    if (this.#life.hasExceededMemory && before === 'up')
      return outcomeBody({ kind: 'failed', error: this.#overMemory(service), unknown: true })
    // A module that ends its thread while it loads would do so for ever, were nobody charged.
    const charged = before === 'starting' || this.#life.beat.onCpu === running.serial
    return outcomeBody({ kind: 'lost', charged })
  }

  #overMemory(service: string): JobError {
    const mb = this.#options.heapMb
    return {
      code: 'memory_exceeded',
      message: `the handler used more than the ${mb} MiB of memory that an attempt of ${service} may have; raise its requires.memoryMb, or let it use less`,
      retryable: true,
    }
  }

  /** MiB that its attempts may use. */
  get memoryMb(): number {
    return this.#options.heapMb
  }

  #log(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log({ level: 'error', message, fields })
  }
}

/** At least one beat between two looks at the heap. */
const BEAT_MS = POOL_LOOK_MS / 2

const NOT_LOADED = failedBody({
  code: 'service_unavailable',
  message: 'its module did not load in a thread of its own; the log of the node says why',
  retryable: true,
})
