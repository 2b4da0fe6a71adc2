import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Role } from '../role.js'
import { fillAndDrain } from '../waiting.js'
import type { Run, RunningSystem, System, WorkloadName } from '../workloads.js'

/** This file runs from test/dist/bench/gyre. */
const BIN = join(import.meta.dirname, '..', '..', '..', '..', 'core', 'bin', 'gyre.js')
const SUBMITTER = join(import.meta.dirname, 'submitter.js')
const PLUGINS = join(import.meta.dirname, 'plugins')

/** One node with its workers in it, and a submitter. @param flags  more flags of `gyre start` */
export function gyre(flags: readonly string[]): System {
  return {
    name: 'gyre',
    workloads: ['w1', 'w1-batch', 'w2', 'w3', 'w5', 'fan-out', 'cas'],
    missing: () => null,
    start: () => RunningGyre.start(flags),
  }
}

class RunningGyre implements RunningSystem {
  readonly servers: readonly number[]
  readonly others: readonly number[]
  readonly #node: ChildProcess
  readonly #folder: string
  readonly #url: string
  readonly #submitter: Role

  private constructor(node: ChildProcess, folder: string, url: string) {
    this.#node = node
    this.#folder = folder
    this.#url = url
    this.#submitter = new Role(SUBMITTER, { GYRE_BENCH_URL: url })
    this.servers = [node.pid ?? 0]
    this.others = [this.#submitter.pid]
  }

  static async start(flags: readonly string[]): Promise<RunningGyre> {
    const folder = await mkdtemp(join(tmpdir(), 'gyre-bench-'))
    const args = ['start', '--json', '--init', '--data', folder, '--api', '127.0.0.1:0']
    const plugins = ['--workers', join(PLUGINS, 'services'), '--jobs', join(PLUGINS, 'jobs')]
    const own = [...args, ...plugins, '--capacity', 'gate=256', ...flags]
    const node = spawn(process.execPath, [BIN, ...own], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: node.stdout }), 'line')
    const ready: { readonly api: string } = JSON.parse(String(line))
    return new RunningGyre(node, folder, ready.api)
  }

  run(workload: WorkloadName, size: number): Promise<Run> {
    if (workload !== 'w5') return this.#submitter.run(workload, size)
    const drain = () => this.#submitter.number({ ask: 'drain', size })
    return fillAndDrain(this.servers, size, { submitter: this.#submitter, drain })
  }

  async syncs(): Promise<number> {
    const text = await (await fetch(`${this.#url}/metrics`)).text()
    return Number(/^gyre_log_syncs_total(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1] ?? Number.NaN)
  }

  async stop(): Promise<void> {
    await this.#submitter.stop()
    const ended = once(this.#node, 'exit')
    this.#node.kill('SIGTERM')
    await ended
    await rm(this.#folder, { recursive: true, force: true })
  }
}
