import type { Clock } from '../../ports/clock.js'
import type { AttemptOutcome } from '../../protocol/ledger/command.js'
import type { AbortReason, AttemptNews, Dispatch } from '../../protocol/node/messages.js'
import { type HandlerSettings, NO_SETTINGS } from './handler-settings.js'
import * as limits from './limits.js'
import { LiveNews, type LiveNewsOptions } from './live-news.js'
import { PooledThread } from './pooled-thread.js'
import { checkedOutcome } from './reported-outcome.js'
import { type RunningAttempt, RunningAttempts } from './running-attempts.js'
import type { ServicesLogLine } from './thread-messages.js'

export interface ThreadPoolOptions {
  readonly clock: Clock
  /** Threads, and so attempts, at a time; ≥ 1. */
  readonly size: number
  readonly log: (line: ServicesLogLine) => void
  /** The attempt has ended and none of its code runs any more; once per attempt. */
  readonly ended: (attempt: string, body: string, news: AttemptNews) => void
  /** A running attempt has something to tell. */
  readonly noted?: LiveNewsOptions['noted']
  readonly settings?: HandlerSettings
  readonly onCall?: (body: string, answer: (body: string) => void) => void
  readonly abortGraceMs?: number
  readonly exitPatienceMs?: number
  readonly idleMs?: number
  readonly loadMs?: number
  /** What an attempt may use whose service declares nothing. */
  readonly heapMb?: number
}

/**
 * Runs the handlers that compute for long, each attempt alone in a thread. So a handler may block its
 * thread for as long as its timeout allows, and is ended with it when its time is over, without harm
 * to any other.
 *
 * Not its job: how many run at a time (the engine counts threads as a resource of the node), and
 * loading plugins for the first time (the services thread, whose modules it is given).
 *
 * A thread is started when an attempt finds none idle, and ended when it was idle for long. One whose
 * handler was ended, used too much memory or crashed is never used again.
 */
export class ThreadPool {
  readonly #options: Required<ThreadPoolOptions>
  readonly #running = new RunningAttempts()
  readonly #news: LiveNews
  readonly #threads = new Set<PooledThread>()
  #modules: readonly string[] = []
  #cancelLook: (() => void) | null = null
  #whenStopped: (() => void) | null = null

  constructor(options: ThreadPoolOptions) {
    this.#options = {
      settings: NO_SETTINGS,
      noted: () => {},
      onCall: () => {},
      abortGraceMs: limits.POOL_ABORT_GRACE_MS,
      exitPatienceMs: limits.THREAD_EXIT_PATIENCE_MS,
      idleMs: limits.POOL_IDLE_MS,
      loadMs: limits.PLUGIN_LOAD_MS,
      heapMb: limits.THREAD_HEAP_MB,
      ...options,
    }
    this.#news = new LiveNews(this.#options)
  }

  has(attempt: string): boolean {
    return this.#running.has(attempt)
  }

  get count(): number {
    return this.#running.count
  }

  /** The modules that define isolated services. Threads that loaded others are not used again. */
  setModules(modules: readonly string[]): void {
    if (modules.join('\n') === this.#modules.join('\n')) return
    this.#modules = modules
    for (const thread of this.#threads) thread.retire()
  }

  /** @param memoryMb  what its service declares that an attempt takes; undefined: nothing */
  run(dispatch: Dispatch, memoryMb?: number): void {
    const capMb = this.#capOf(memoryMb)
    const thread = this.#idleThread(capMb) ?? this.#newThread(capMb)
    const running = this.#running.add(dispatch)
    if (thread === null) return this.#end(running, NOT_STARTED)
    thread.run(running, dispatch)
    this.#lookLater()
  }

  abort(attempt: string, reason: AbortReason): void {
    const running = this.#running.get(attempt)
    if (running === undefined || running.aborted !== null) return
    for (const thread of this.#threads) if (thread.runs(running)) thread.abort(running, reason)
  }

  /** Aborts what runs and ends all threads; `done` is called once, after the last `ended`. */
  stop(done: () => void): void {
    this.#whenStopped = done
    for (const { attempt } of this.#running.all()) this.abort(attempt, 'stopping')
    for (const thread of this.#threads) thread.retire()
    this.#checkStopped()
  }

  /** A declared cap below what a thread needs for itself would end every attempt. */
  #capOf(memoryMb: number | undefined): number {
    if (memoryMb === undefined || memoryMb === 0) return this.#options.heapMb
    return Math.max(limits.THREAD_MEMORY_MB_MIN, Math.ceil(memoryMb))
  }

  #idleThread(memoryMb: number): PooledThread | null {
    for (const thread of this.#threads)
      if (thread.isIdle && thread.memoryMb === memoryMb) return thread
    return null
  }

  /** Null: all threads are taken, which the engine's grants do not let happen. */
  #newThread(memoryMb: number): PooledThread | null {
    const { size } = this.#options
    const taken = [...this.#threads].filter((thread) => thread.isTaken)
    // An idle thread with another cap makes room.
    if (taken.length >= size) taken.find((thread) => thread.isIdle)?.retire()
    if (taken.every((thread) => thread.isTaken) && taken.length >= size) return null
    if (this.#whenStopped !== null) return null
    const thread: PooledThread = new PooledThread({
      ...this.#options,
      heapMb: memoryMb,
      news: this.#news,
      modules: this.#modules,
      settled: (running, body) => this.#settle(running, body),
      gone: () => {
        this.#threads.delete(thread)
        this.#checkStopped()
      },
    })
    this.#threads.add(thread)
    return thread
  }

  #settle(running: RunningAttempt, body: string): void {
    const checked = checkedOutcome(body)
    if (checked !== body) {
      const message = `service ${running.service} reported what is no outcome`
      this.#options.log({ level: 'error', message, fields: { attempt: running.attempt } })
    }
    this.#end(running, checked)
  }

  #end(running: RunningAttempt, body: string): void {
    this.#running.remove(running.attempt)
    this.#options.ended(running.attempt, body, running.log.takeLast())
    this.#checkStopped()
  }

  #checkStopped(): void {
    const done = this.#whenStopped
    if (done === null || this.#threads.size > 0 || this.#running.count > 0) return
    this.#whenStopped = () => {}
    this.#cancelLook?.()
    this.#options.clock.soon(done)
  }

  /**
   * Where nobody can look into a thread's heap, all silent threads are charged with the growth of the
   * process (heap-watch.ts). So one at a time is ended, the newest first, and what its end gives back
   * is waited for: the others are most likely innocent.
   */
  #checkHeaps(): void {
    const threads = [...this.#threads].reverse()
    for (const thread of threads) {
      if (threads.some(({ isEnding }) => isEnding)) return
      thread.checkHeap()
    }
  }

  /** While anything runs, heaps are looked at: V8's own limit may end the process (heap-watch.ts). */
  #lookLater(): void {
    this.#cancelLook ??= this.#options.clock.alarm(limits.POOL_LOOK_MS, () => {
      this.#cancelLook = null
      this.#checkHeaps()
      if (this.#running.count > 0) this.#lookLater()
    })
  }
}

const NOT_STARTED = JSON.stringify({ kind: 'not_started' } satisfies AttemptOutcome)
