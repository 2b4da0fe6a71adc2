import type { ReadyQueues } from '../messages.js'

/** Queues with so many ready tasks each, the first of them ready since the same instant. */
export function ready(counts: Readonly<Record<string, number>>, since = 0): ReadyQueues {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, { count, since }]))
}
