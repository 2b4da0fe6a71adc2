import { availableParallelism, totalmem } from 'node:os'
import type { CapacityOffer, ServiceOffer } from '../../protocol/node/messages.js'
import { AMOUNT_MAX } from './limits.js'

/**
 * What a node has for its attempts (`cpu`, `memoryMb` and units of any name), and what each service
 * takes of it. A promise among attempts, not a fence: nobody measures what a handler really uses,
 * except for the heap of its thread.
 */
export type Capacity = Readonly<Record<string, number>>

/** Threads of the pool; no unit may have this name, since `#` is no letter of one. */
const THREADS = '#threads'

/** Cores and memory of this machine, or of the container that holds it. */
export function measuredCapacity(): Capacity {
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return { cpu: availableParallelism(), memoryMb: Math.floor(bytes / (1024 * 1024)) }
}

/** How many handlers with isolation `thread` run at a time: as many as there are cores. */
export function threadCountOf(capacity: Capacity): number {
  return Math.max(1, Math.floor(capacity['cpu'] ?? 1))
}

/** The engine's view of it: `threads` are the pool's, of which an isolated attempt takes one. */
export function capacityOffer(
  capacity: Capacity,
  threads: number,
  services: readonly ServiceOffer[],
): CapacityOffer {
  const has = [...Object.entries(capacity), [THREADS, threads] as const]
  return {
    has: Object.fromEntries(has.map(([unit, amount]) => [unit, thousandths(amount)])),
    takes: Object.fromEntries(services.map((service) => [service.name, takesOf(service)])),
  }
}

function takesOf({ requires = {}, isolation }: ServiceOffer): Record<string, number> {
  const { units = {}, ...machine } = requires
  const takes = Object.entries({ ...machine, ...units })
  if (isolation === 'thread') takes.push([THREADS, 1])
  return Object.fromEntries(takes.map(([unit, amount]) => [unit, thousandths(amount)]))
}

function thousandths(amount: number): number {
  return Math.round(amount * 1000)
}

export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= AMOUNT_MAX
}

export function isUnit(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name) && name !== 'cpu' && name !== 'memoryMb'
}
