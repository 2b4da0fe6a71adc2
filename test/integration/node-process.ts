import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'

/** The command as people run it: this file runs from test/dist/integration. */
export const GYRE = join(import.meta.dirname, '..', '..', '..', 'core', 'bin', 'gyre.js')

/** A start replays the log and compiles nothing: half a minute is far more than it takes. */
const READY_TIMEOUT_MS = 30_000
/** After SIGTERM a node waits for its attempts and aborts them; then it must be gone. */
const EXIT_TIMEOUT_MS = 30_000

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** What the system does to the node. */
export interface ProcessLimits {
  /** Open files at a time. */
  readonly openFiles?: number
  /** Beside the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>
}

/** A node as a process of its own, started by the command line. */
export class NodeProcess {
  readonly #child: ChildProcess
  readonly exited: Promise<Exit>
  #stderr = ''
  /** Address of its API, from the `ready` line. */
  url = ''
  id = ''

  private constructor(args: readonly string[], { openFiles, environment }: ProcessLimits) {
    const command = [GYRE, 'start', '--json', '--api', '127.0.0.1:0', ...args]
    const limit = openFiles === undefined ? '' : `ulimit -n ${openFiles}; `
    this.#child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.exited = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }))
  }

  /** Starts a node and waits until it serves; it is killed when the test ends, however it ends. */
  static async start(
    owner: Owner,
    args: readonly string[],
    limits: ProcessLimits = {},
  ): Promise<NodeProcess> {
    const node = NodeProcess.spawn(owner, args, limits)
    await node.#ready()
    return node
  }

  /** Starts a node that is expected to end by itself. */
  static spawn(owner: Owner, args: readonly string[], limits: ProcessLimits = {}): NodeProcess {
    const node = new NodeProcess(args, limits)
    atEnd(owner, () => node.kill())
    return node
  }

  get stderr(): string {
    return this.#stderr
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** The end of a node that ends by itself, bounded: one that runs on has started after all. */
  ended(): Promise<Exit> {
    const told = (): string => `the node runs, and was expected to end: ${this.#stderr}`
    return within(READY_TIMEOUT_MS, this.exited, told)
  }

  /** The end without a word: nothing is flushed, nobody is told. */
  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  /** A graceful stop, bounded. */
  async terminate(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal)
    return within(EXIT_TIMEOUT_MS, this.exited, () => `no exit after ${signal}: ${this.#stderr}`)
  }

  async #ready(): Promise<void> {
    const lines = createInterface({ input: this.#child.stdout ?? process.stdin })
    const line = once(lines, 'line').then(([text]) => String(text))
    const early = this.exited.then((exit) => {
      throw new Error(`the node ended before it was ready (${exit.code}): ${this.#stderr}`)
    })
    const text = await within(
      READY_TIMEOUT_MS,
      Promise.race([line, early]),
      () => `no ready line: ${this.#stderr}`,
    )
    const ready: { readonly api: string; readonly id: string } = JSON.parse(text)
    this.url = ready.api
    this.id = ready.id
  }
}

/** The promise, or an error when it takes longer. */
export async function within<T>(ms: number, promise: Promise<T>, told: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${ms} ms ${told()}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
