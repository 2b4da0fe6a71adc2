import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RunRequest } from '../run.js'

const CHILD = fileURLToPath(new URL('./planted-child.js', import.meta.url))
/** A mutated node may run in circles. */
const RUN_TIMEOUT_MS = 120_000
/** Each mutation is some 240 modules more in the memory of a child, which never go. */
const MUTATIONS_PER_CHILD = 30

export type TrialRequest = { readonly mutation: string } & Pick<
  RunRequest,
  'seed' | 'goesOn' | 'stepsMax'
>

/** What became of one seed under one mutation. */
export interface Trial {
  /** Everything that noticed, each by itself. */
  readonly caughtBy: readonly string[]
  /** The verdict and why, in a line. */
  readonly how: string
  readonly events: number
  /** Why nothing was run, most likely a stale entry; null: it was. */
  readonly error: string | null
}

const ENDLESS: Trial = { caughtBy: ['standstill'], how: 'it never ends', events: 0, error: null }

/**
 * Runs seeds on nodes with planted bugs, in a child process. Starting one and loading the simulator costs
 * more than most of the runs, so it serves many; one that hangs is ended, and the next run has another.
 */
export class PlantedProcess {
  #child: ChildProcess | null = null
  #planted = new Set<string>()

  async run(request: TrialRequest): Promise<Trial> {
    this.#planted.add(request.mutation)
    if (this.#planted.size > MUTATIONS_PER_CHILD) this.close()
    this.#planted.add(request.mutation)
    const child = (this.#child ??= fork(CHILD, { serialization: 'advanced' }))
    child.send(request)
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS)
    const answered = new AbortController()
    const { signal } = answered
    try {
      const [first] = await Promise.race([
        once(child, 'message', { signal }),
        once(child, 'exit', { signal }),
      ])
      if (typeof first === 'object' && first !== null) return first
      this.close()
      if (child.signalCode === 'SIGKILL') return ENDLESS
      const error = `the child has ended with ${child.exitCode ?? child.signalCode}`
      return { caughtBy: [], how: error, events: 0, error }
    } finally {
      clearTimeout(timer)
      answered.abort()
    }
  }

  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
    this.#planted = new Set()
  }
}
