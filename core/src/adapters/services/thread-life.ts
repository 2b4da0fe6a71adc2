import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Clock } from '../../ports/clock.js'
import { THREAD_YOUNG_MB } from '../thread-memory.js'
import { BeatReader, makeBeatMemory } from './beat.js'
import { HeapWatch } from './heap-watch.js'
import { HEAP_HEADROOM_MB } from './limits.js'
import {
  type FromThread,
  pack,
  type ThreadSetup,
  type ToThread,
  unpackFromThread,
} from './thread-messages.js'

export interface ThreadLifeOptions {
  /** Shown by debuggers and profilers. */
  readonly name: string
  readonly clock: Clock
  readonly setup: Omit<ThreadSetup, 'beat'>
  readonly heapMb: number
  readonly exitPatienceMs: number
  readonly onMessages: (messages: readonly FromThread[]) => void
  /**
   * Called once: no JavaScript of this thread runs any more, and all that it said has been handed on.
   * `cause` says in words why it ended.
   */
  readonly onGone: (cause: string) => void
}

/**
 * One life of a thread that runs handlers, from its start to the moment when its code can no longer run.
 *
 * Not its job: what to do about a death; the supervisor decides. The messages travel on a port of our
 * own, handed over in the first message, so that a plugin that writes to `parentPort` disturbs nobody.
 */
export class ThreadLife {
  readonly beat: BeatReader
  readonly #options: ThreadLifeOptions
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #heap: HeapWatch
  #queue: ToThread[] = []
  #gone = false
  #hasExceeded = false
  #cause = 'it ended by itself'
  #cancelPatience: (() => void) | null = null

  constructor(options: ThreadLifeOptions) {
    this.#options = options
    const memory = makeBeatMemory()
    this.beat = new BeatReader(memory)
    const channel = new MessageChannel()
    this.#port = channel.port1
    this.#port.on('message', (packed: string[]) => this.#receive(packed))
    this.#worker = new Worker(new URL('./services-thread.js', import.meta.url), {
      name: options.name,
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: options.heapMb + HEAP_HEADROOM_MB,
        maxYoungGenerationSizeMb: THREAD_YOUNG_MB,
      },
    })
    this.#heap = new HeapWatch({
      worker: this.#worker,
      beat: this.beat,
      heapMb: options.heapMb,
      onExceeded: () => {
        this.#hasExceeded = true
        this.terminate(overMemory(options.heapMb))
      },
    })
    // What plugins print goes to stderr: stdout belongs to the command line's documents.
    this.#worker.stdout.pipe(process.stderr, { end: false })
    this.#worker.stderr.pipe(process.stderr, { end: false })
    this.#worker.on('error', (error: unknown) => this.#failed(error))
    this.#worker.on('exit', () => this.#ended())
    const setup: ThreadSetup = { ...options.setup, beat: memory }
    this.#worker.postMessage({ setup, port: channel.port2 }, [channel.port2])
  }

  /** True: it ends, or has ended, because it used more memory than it may. */
  get hasExceededMemory(): boolean {
    return this.#hasExceeded
  }

  /** True from the moment when it was told to end. */
  get isEnding(): boolean {
    return this.#gone || this.#cancelPatience !== null
  }

  /** Queued until the end of the turn, then sent as one post. */
  post(message: ToThread): void {
    this.#queue.push(message)
    if (this.#queue.length > 1) return
    this.#options.clock.soon(() => {
      const queue = this.#queue
      this.#queue = []
      if (!this.#gone) this.#port.postMessage(pack(queue))
    })
  }

  /** Ends the thread if it uses more heap than it may; called now and then while it works. */
  checkHeap(): void {
    this.#heap.look()
  }

  /**
   * Ends the thread, also out of an endless loop. Native code (`execSync`) cannot be interrupted: after
   * `exitPatienceMs` the thread counts as gone, since no JavaScript follows the native call.
   */
  terminate(cause: string): void {
    if (this.#gone || this.#cancelPatience !== null) return
    this.#cause = cause
    this.#cancelPatience = this.#options.clock.alarm(this.#options.exitPatienceMs, () => {
      this.#cause = `${cause}; it is still inside a native call, which nothing can interrupt`
      this.#ended()
    })
    void this.#worker.terminate()
  }

  #failed(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      this.#hasExceeded = true
      this.#cause = overMemory(this.#options.heapMb)
      return
    }
    this.#cause = `it crashed: ${error instanceof Error ? error.message : 'unknown error'}`
  }

  #ended(): void {
    if (this.#gone) return
    // What the thread said before its end counts: `exit` may overtake the port's last messages.
    for (;;) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) break
      this.#receive(received.message as string[])
    }
    this.#gone = true
    this.#cancelPatience?.()
    this.#port.close()
    this.#worker.unref()
    this.#options.onGone(this.#cause)
  }

  /** A plugin that has bent JSON or the port costs its thread, not the engine. */
  #receive(packed: readonly string[]): void {
    if (this.#gone) return
    let messages: FromThread[]
    try {
      messages = unpackFromThread(packed)
    } catch {
      return this.terminate('it sent what cannot be read')
    }
    this.#options.onMessages(messages)
  }
}

function overMemory(mb: number): string {
  return `it used more than its ${mb} MiB of memory`
}
