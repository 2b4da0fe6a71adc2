import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sharedNow } from '../pacing.js'
import { Role } from '../role.js'
import { fillAndDrain } from '../waiting.js'
import type { Run, RunningSystem, System, WorkloadName } from '../workloads.js'

/** BullMQ on a Redis that syncs each write before it answers, as Gyre does. */
export const bullmq: System = {
  name: 'bullmq',
  workloads: ['w1', 'w1-batch', 'w2', 'w3', 'w5'],
  missing() {
    const { error } = spawnSync('redis-server', ['--version'])
    return error === undefined ? null : 'redis-server is not installed'
  },
  start: () => RunningBullmq.start(),
}

class RunningBullmq implements RunningSystem {
  readonly servers: readonly number[]
  readonly others: readonly number[]
  readonly #redis: ChildProcess
  readonly #folder: string
  readonly #worker: Role
  readonly #submitter: Role
  #worksOn: WorkloadName | undefined

  private constructor(redis: ChildProcess, folder: string, port: number) {
    this.#redis = redis
    this.#folder = folder
    const settings = { GYRE_BENCH_REDIS: String(port) }
    this.#worker = new Role(join(import.meta.dirname, 'worker.js'), settings)
    this.#submitter = new Role(join(import.meta.dirname, 'submitter.js'), settings)
    this.servers = [redis.pid ?? 0]
    this.others = [this.#worker.pid, this.#submitter.pid]
  }

  static async start(): Promise<RunningBullmq> {
    const folder = await mkdtemp(join(tmpdir(), 'gyre-bench-redis-'))
    const port = await freePort()
    const listening = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
    const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    const own = [...listening, ...durable, '--maxmemory-policy', 'noeviction']
    const redis = spawn('redis-server', own, { stdio: 'ignore' })
    await listens(port)
    return new RunningBullmq(redis, folder, port)
  }

  async run(workload: WorkloadName, size: number): Promise<Run> {
    if (workload === 'w5') return await this.#fillAndDrain(size)
    await this.#work(workload)
    const begun = sharedNow()
    const ended = this.#worker.number({ ask: 'wait', count: size })
    const run = await this.#submitter.run(workload, size)
    return { ...run, seconds: ((await ended) - begun) / 1000 }
  }

  /** It does not tell. */
  syncs(): Promise<null> {
    return Promise.resolve(null)
  }

  async stop(): Promise<void> {
    await this.#submitter.stop()
    await this.#worker.stop()
    const ended = once(this.#redis, 'exit')
    this.#redis.kill('SIGTERM')
    await ended
    await rm(this.#folder, { recursive: true, force: true })
  }

  #fillAndDrain(size: number): Promise<Run> {
    const drain = async (): Promise<number> => {
      const begun = sharedNow()
      await this.#work('w5')
      return ((await this.#worker.number({ ask: 'wait', count: size })) - begun) / 1000
    }
    return fillAndDrain(this.servers, size, { submitter: this.#submitter, drain })
  }

  async #work(workload: WorkloadName): Promise<void> {
    if (this.#worksOn !== undefined) return
    this.#worksOn = workload
    await this.#worker.number({ ask: 'work', workload })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await pause(20)
  }
}
