import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Role } from '../role.js'
import { fillAndDrain } from '../waiting.js'
import type { Run, RunningSystem, System, WorkloadName } from '../workloads.js'
import { BenchNode } from './node.js'

const SUBMITTER = join(import.meta.dirname, 'submitter.js')

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
  readonly #node: BenchNode
  readonly #folder: string
  readonly #submitter: Role

  private constructor(node: BenchNode, folder: string) {
    this.#node = node
    this.#folder = folder
    this.#submitter = new Role(SUBMITTER, { GYRE_BENCH_URL: node.url })
    this.servers = [node.pid]
    this.others = [this.#submitter.pid]
  }

  static async start(flags: readonly string[]): Promise<RunningGyre> {
    const folder = await mkdtemp(join(tmpdir(), 'gyre-bench-'))
    return new RunningGyre(await BenchNode.start(folder, ['--init', ...flags]), folder)
  }

  run(workload: WorkloadName, size: number): Promise<Run> {
    if (workload !== 'w5') return this.#submitter.run(workload, size)
    const drain = () => this.#submitter.number({ ask: 'drain', size })
    return fillAndDrain(this.servers, size, { submitter: this.#submitter, drain })
  }

  syncs(): Promise<number> {
    return this.#node.metric('gyre_log_syncs_total')
  }

  async stop(): Promise<void> {
    await this.#submitter.stop()
    await this.#node.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
