import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Ready, decodeReady } from './ready.js'

const GYRE = fileURLToPath(new URL('./main.js', import.meta.url))

export interface DevNodeOptions {
  readonly dataFolder: string
  readonly init: boolean
  /** The data folder goes with the node. */
  readonly temporary: boolean
  /** The next free port is taken when this one is in use. */
  readonly port: number
  readonly workers: readonly string[]
  readonly jobs: readonly string[]
  /** Further flags and their values. */
  readonly settings: Readonly<Record<string, string>>
  readonly logLevel?: string
}

/** What dev knows of it: `stopping` and `killed` are dev's own doing. */
export type DevNodeMode = 'starting' | 'serving' | 'stopping' | 'killed'

export interface NodeExit {
  readonly code: number | null
  readonly signal: string | null
}

/**
 * A node of `gyre dev`: a `gyre start` in a process of its own. What it writes goes where dev's own
 * output goes; that it serves it says over the channel between the two (node-owner.ts), so that what
 * a plugin prints is not taken for it.
 */
export class DevNode {
  /** Settles when the node serves; never if it ends before that. */
  readonly ready: Promise<Ready>
  /** Settles when the process is gone. Rejects when it could not be made. */
  readonly exited: Promise<NodeExit>
  readonly #child: ChildProcess
  #mode: DevNodeMode = 'starting'

  constructor(options: DevNodeOptions) {
    const child = fork(GYRE, argumentsOf(options), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    this.ready = new Promise((resolve) => {
      child.once('message', (message) => {
        if (this.#mode === 'starting') this.#mode = 'serving'
        resolve(decodeReady(message))
      })
    })
    this.exited = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
  }

  get mode(): DevNodeMode {
    return this.#mode
  }

  /** Asks for a graceful stop; idempotent. */
  stop(): void {
    this.#mode = 'stopping'
    if (this.#child.connected) this.#child.disconnect()
  }

  kill(): void {
    this.#mode = 'killed'
    this.#child.kill('SIGKILL')
  }
}

/** In the form `--flag=value`, which leaves no doubt about a folder whose name begins with a dash. */
function argumentsOf(options: DevNodeOptions): string[] {
  const { dataFolder, init, temporary, port, workers, jobs, settings, logLevel } = options
  return [
    'start',
    '--under-dev',
    `--data=${dataFolder}`,
    `--api=127.0.0.1:${port}`,
    ...(init ? ['--init'] : []),
    ...(temporary ? ['--temporary'] : []),
    ...workers.map((folder) => `--workers=${folder}`),
    ...jobs.map((folder) => `--jobs=${folder}`),
    ...Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`),
    ...(logLevel === undefined ? [] : [`--log-level=${logLevel}`]),
  ]
}
