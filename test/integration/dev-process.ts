import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { type Exit, GYRE, within } from './node-process.js'
import { RestClient } from './rest-client.js'

const REPOSITORY = join(import.meta.dirname, '..', '..', '..')
/** Two processes start one after the other, and npx before them; each takes a second at most. */
const READY_TIMEOUT_MS = 60_000
/** A node waits 5 s for its attempts and 6 s more once it has aborted them. */
const GONE_TIMEOUT_MS = 30_000
/** Tells in which process services run: the node's. */
const PLUGIN = `export const pid = { name: 'plugin.pid', version: '1.0.0', run: () => process.pid }\n`

export interface DevOptions {
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** What starts it: `npx`, or the command itself. */
  readonly launcher?: readonly string[]
}

/** `gyre dev` in a process group of its own, with its temporary folders in a place of their own. */
export class DevProcess {
  readonly client: RestClient
  readonly url: string
  /** Process ID of the node. */
  readonly nodePid: number
  readonly #child: ChildProcess
  readonly #exited: Promise<Exit>
  readonly #temporary: string
  readonly #gone: Promise<unknown>
  readonly #stderr: () => string

  private constructor(started: Started, url: string, client: RestClient, nodePid: number) {
    this.#child = started.child
    this.#temporary = started.temporary
    this.#gone = started.gone
    this.#stderr = started.stderr
    this.#exited = started.exited
    this.url = url
    this.client = client
    this.nodePid = nodePid
  }

  /** Starts it and waits until its node serves. Nothing of it is left when the test ends. */
  static async start(owner: Owner, options: DevOptions = {}): Promise<DevProcess> {
    const started = await spawnDev(owner, options)
    const lines = createInterface({ input: started.child.stdout ?? process.stdin })
    const early = started.exited.then(({ code }) => {
      throw new Error(`gyre dev ended before it was ready (${code}): ${started.stderr()}`)
    })
    const line = once(lines, 'line').then(([text]) => String(text))
    const text = await within(READY_TIMEOUT_MS, Promise.race([line, early]), started.stderr)
    const { api }: { readonly api: string } = JSON.parse(text)
    const client = RestClient.open(owner, api)
    const { body } = await client.submit({ service: 'plugin.pid' })
    const { output } = await client.finished(body.id)
    return new DevProcess(started, api, client, Number(output))
  }

  get stderr(): string {
    return this.#stderr()
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** To all of them at once, as a terminal does on Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal)
  }

  /** The end of the process that was started. */
  exit(): Promise<Exit> {
    return within(GONE_TIMEOUT_MS, this.#exited, () => `it has not ended: ${this.stderr}`)
  }

  /** Settles when nobody writes to its output any more: dev, its node and what launched them are gone. */
  async gone(): Promise<void> {
    await within(GONE_TIMEOUT_MS, this.#gone, () => `something is left: ${this.stderr}`)
  }

  /** Names of the data folders that were not removed; npm may leave a cache of its own beside them. */
  async dataFolders(): Promise<string[]> {
    const names = await readdir(this.#temporary)
    return names.filter((name) => name !== 'node-compile-cache')
  }
}

interface Started {
  readonly child: ChildProcess
  readonly temporary: string
  readonly exited: Promise<Exit>
  readonly gone: Promise<unknown>
  readonly stderr: () => string
}

async function spawnDev(owner: Owner, options: DevOptions): Promise<Started> {
  const { args = [], environment = {}, launcher = [process.execPath, GYRE] } = options
  const folder = temporaryFolder(owner)
  const [temporary, workers] = [join(folder, 'temporary'), join(folder, 'workers')]
  await mkdir(temporary)
  await mkdir(workers)
  await writeFile(join(workers, 'pid.mjs'), PLUGIN)
  const [file = '', ...before] = launcher
  const given = ['dev', '--json', '--api', '0', '--workers', workers, ...args]
  const child = spawn(file, [...before, ...given], {
    cwd: REPOSITORY,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment, TMPDIR: temporary },
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const gone = once(child, 'close')
  atEnd(owner, () => {
    killGroup(child)
    return gone
  })
  return {
    child,
    temporary,
    exited: once(child, 'exit').then(([code, signal]) => ({ code, signal })),
    gone,
    stderr: () => stderr,
  }
}

/** Kills what a failed test has left; after a good one there is no such group. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
