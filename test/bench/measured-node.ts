import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const GYRE = join(import.meta.dirname, '..', '..', '..', 'core', 'bin', 'gyre.js')
/** Linux counts CPU time of a process in these, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** What a node used up: CPU seconds (user and system, all threads) and peak resident memory. */
export interface Usage {
  readonly cpuSeconds: number
  readonly peakMiB: number
}

/** A node in a process of its own, on a fresh folder that goes with it. */
export class MeasuredNode {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child
    this.#folder = folder
    this.url = url
  }

  static async start(): Promise<MeasuredNode> {
    const folder = await mkdtemp(join(tmpdir(), 'gyre-bench-'))
    const args = ['start', '--json', '--init', '--data', folder, '--api', '127.0.0.1:0']
    const child = spawn(process.execPath, [GYRE, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    const [line] = await once(lines, 'line')
    const ready: { readonly api: string } = JSON.parse(String(line))
    return new MeasuredNode(child, folder, ready.api)
  }

  get usage(): Usage {
    const { pid } = this.#child
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return { cpuSeconds: ticks / TICKS_PER_SECOND, peakMiB: Number(peak?.[1] ?? 0) / 1024 }
  }

  /** [syncs of the log, bytes written to it] so far. */
  async logWork(): Promise<readonly [number, number]> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const value = (name: string): number =>
      Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
    return [value('gyre_log_syncs_total'), value('gyre_log_written_bytes_total')]
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
    await rm(this.#folder, { recursive: true, force: true })
  }
}
