import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { type BeatWriter, NOBODY } from './beat.js'

/** Whose code this is, as carried along every callback and continuation. */
export interface CodeOwner {
  readonly serial: number
  readonly attempt: string
  readonly service: string
}

/**
 * Knows at any moment whose code the thread is running, and keeps it written in shared memory, where
 * it can be read when the thread is blocked and can answer nothing any more.
 *
 * An AsyncLocalStorage carries the attempt along; an async hook copies it into the beat memory before
 * each callback and continuation. So a handler that blocks long after its first `await`, among others
 * in flight, is named exactly. Cost per `await`, measured on Node 20 (best of seven runs of 500,000): 44 ns
 * bare, 122 ns with the storage, 139 ns with the hook as well.
 */
export class OnCpu {
  readonly #storage = new AsyncLocalStorage<CodeOwner>()
  readonly #beat: BeatWriter

  constructor(beat: BeatWriter) {
    this.#beat = beat
    createHook({ before: () => beat.enter(this.#storage.getStore()?.serial ?? NOBODY) }).enable()
  }

  /** Runs `code`, and whatever it sets off, as the owner's. */
  run<T>(owner: CodeOwner, code: () => T): T {
    const before = this.#beat.onCpu
    this.#beat.enter(owner.serial)
    try {
      return this.#storage.run(owner, code)
    } finally {
      this.#beat.enter(before)
    }
  }

  get owner(): CodeOwner | undefined {
    return this.#storage.getStore()
  }
}
