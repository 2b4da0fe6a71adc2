import type { Refusal, ServiceOffer } from '../../protocol/node/messages.js'
import type { Capacity } from './capacity.js'

/** What a node has, and how its owner has labelled it. */
export interface NodeTraits {
  readonly capacity: Capacity
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Services that can never run on this node, each with the first reason: a label that it lacks, or a
 * requirement that is more than all the node has. A node short of one thing says no to just the
 * services that need it (P4).
 */
export function refusalsOf(
  traits: NodeTraits,
  services: readonly ServiceOffer[],
): Readonly<Record<string, Refusal>> {
  const refused = services.flatMap((service) => {
    const refusal = labelRefusal(traits.labels, service) ?? roomRefusal(traits.capacity, service)
    return refusal === null ? [] : [[service.name, refusal] as const]
  })
  return Object.fromEntries(refused)
}

function labelRefusal(has: NodeTraits['labels'], { labels = {} }: ServiceOffer): Refusal | null {
  for (const [key, value] of Object.entries(labels)) {
    const own = Object.hasOwn(has, key) ? `${key}=${has[key]}` : `no ${key}`
    if (own === `${key}=${value}`) continue
    const text = `it runs where ${key}=${value}, and this node has ${own}; start a node with --label ${key}=${value}`
    return { reason: 'labels', text }
  }
  return null
}

function roomRefusal(capacity: Capacity, { requires = {} }: ServiceOffer): Refusal | null {
  const { units = {}, ...machine } = requires
  for (const [unit, amount] of Object.entries({ ...machine, ...units })) {
    const has = Object.hasOwn(capacity, unit) ? (capacity[unit] ?? 0) : 0
    if (amount <= has) continue
    const text = `one attempt takes ${unit}=${amount} and the node has ${has}; ${remedyOf(unit)}`
    return { reason: reasonOf(unit), text }
  }
  return null
}

function reasonOf(unit: string): Refusal['reason'] {
  if (unit === 'cpu') return 'cpu'
  return unit === 'memoryMb' ? 'memory' : 'units'
}

function remedyOf(unit: string): string {
  return `declare more with --capacity ${unit}=N, or lower "requires" of the service`
}
