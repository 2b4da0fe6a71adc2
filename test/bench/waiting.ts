import { memoryMiB } from './processes.js'
import type { Role } from './role.js'
import type { Run } from './workloads.js'

/** Memory that is free but not yet given back is not what waiting costs: so long it may settle. */
const SETTLE_MS = 3000

/** w5: fills a system with waiting jobs, looks at its memory, and has it drained. */
export async function fillAndDrain(
  servers: readonly number[],
  size: number,
  { submitter, drain }: { readonly submitter: Role; readonly drain: () => Promise<number> },
): Promise<Run> {
  const empty = memoryMiB(servers)
  const filling = await submitter.number({ ask: 'fill', size })
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const waitingMiB = memoryMiB(servers) - empty
  const draining = await drain()
  const rates = { enqueuedPerSecond: size / filling, drainedPerSecond: size / draining }
  const seconds = filling + draining
  return { operations: size, seconds, latencies: [], waiting: { ...rates, waitingMiB } }
}
