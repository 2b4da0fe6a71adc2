import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { BenchNode } from '../gyre/node.js'
import { cpuSeconds, writtenBytes } from '../processes.js'
import { Role } from '../role.js'
import type { Point } from './shape.js'
import { storeJobs } from './stored-jobs.js'

/** This file runs from test/dist/bench/growth. */
const SUBMITTER = join(import.meta.dirname, 'submitter.js')
/** Arcs of a node where none are asked for (core/src/cli/node/start-node.ts). */
const ARCS = 256
/** Units that go before, so that compilers and caches have seen what is measured. */
const WARM_UP_UNITS = 2000
/** A node checkpoints when it has had nothing to do for ten seconds. */
const AT_REST_LOOKS = 30
/** A scrape costs the node as much as some ten jobs, and is counted with them. */
const LOOK_EVERY_MS = 2000

/** Of one run, per unit: a job, a step or an item. */
export interface Growth {
  /** Of the node alone, writing out what it holds in memory included; microseconds. */
  readonly cpuMicros: number
  readonly written: number
  /** Units a second, until the last job has ended. */
  readonly rate: number
}

/** A folder in which a node of a point lives; filled once, used by all runs of the point. */
export class Ground {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(point: Point): Promise<Ground> {
    const ground = new Ground(await mkdtemp(join(tmpdir(), 'gyre-growth-')))
    const arcs = point.arcs ?? ARCS
    const node = await BenchNode.start(ground.folder, ['--init', '--arcs', String(arcs)])
    await node.stop()
    if (point.stored > 0) storeJobs(ground.folder, arcs, point.stored)
    return ground
  }

  async run({ shape, jobs, unitsEach }: Point): Promise<Growth> {
    const node = await BenchNode.start(this.folder, [])
    const submitter = new Role(SUBMITTER, { GYRE_BENCH_URL: node.url })
    try {
      await submitter.grow(shape, Math.min(jobs, Math.ceil(WARM_UP_UNITS / unitsEach)))
      await atRest(node)
      const cpu = cpuSeconds([node.pid])
      const written = writtenBytes([node.pid])
      const { seconds, answeredBytes } = await submitter.grow(shape, jobs)
      await atRest(node)
      const units = jobs * unitsEach
      return {
        cpuMicros: ((cpuSeconds([node.pid]) - cpu) / units) * 1e6,
        written: (writtenBytes([node.pid]) - written - answeredBytes) / units,
        rate: units / seconds,
      }
    } finally {
      await submitter.stop()
      await node.stop()
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

/** Until the state has on the disk, and in its tree, all that was applied. */
async function atRest(node: BenchNode): Promise<void> {
  for (let look = 0; look < AT_REST_LOOKS; look += 1) {
    const left = await node.metrics(['gyre_overlay_dirty_rows', 'gyre_state_wal_size_bytes'])
    if (left.every((figure) => figure === 0)) return
    await pause(LOOK_EVERY_MS)
  }
  throw new Error('the node has not come to rest: its state is not written out')
}
