import { availableParallelism } from 'node:os'
import { cpuSeconds, disturbed, MemoryPeak, writtenBytes } from './processes.js'
import { latenciesOf, type Result } from './result.js'
import type { System, WorkloadName } from './workloads.js'

/** As many operations go before, so that compilers and caches have seen what is measured. */
const WARM_UP = 2000

/** One run on a system of its own, which is gone afterwards. */
export async function measure(
  system: System,
  workload: WorkloadName,
  size: number,
): Promise<Result> {
  const running = await system.start()
  try {
    const pids = [...running.servers, ...running.others]
    // Waiting is measured on an empty system.
    if (workload !== 'w5') await running.run(workload, warmUpOf(workload, size))
    const memory = new MemoryPeak(pids)
    const before = await countersOf(pids)
    const { result, disturbance } = await disturbed(
      () => [...pids, process.pid],
      availableParallelism(),
      () => running.run(workload, size),
    )
    const after = await countersOf(pids)
    const { operations, seconds, waiting } = result
    return {
      rate: operations / seconds,
      cpuPer1000: ((after.cpu - before.cpu) / operations) * 1000,
      ...latenciesOf(result),
      ...waiting,
      peakMiB: memory.stop(),
      ...syncsOf(after.syncs, before.syncs, seconds),
      writtenEach: (after.written - before.written) / operations,
      disturbance,
    }
  } finally {
    await running.stop()
  }

  async function countersOf(pids: readonly number[]) {
    const written = writtenBytes(running.servers)
    return { syncs: await running.syncs(), written, cpu: cpuSeconds(pids) }
  }
}

function warmUpOf(workload: WorkloadName, size: number): number {
  return Math.min(workload === 'w2' ? 20 : WARM_UP, size)
}

function syncsOf(after: number | null, before: number | null, seconds: number): Partial<Result> {
  if (after === null || before === null) return {}
  return { syncsPerSecond: (after - before) / seconds }
}
