import type { Refusal, ServiceOffer } from '../../protocol/node/messages.js'
import type { Capacity } from './capacity.js'

/**
 * Services that can never fit on this node, each with the first of its requirements that is more than
 * all the node has. A node short of one thing says no to just the services that need it (P4).
 */
export function refusalsOf(
  capacity: Capacity,
  services: readonly ServiceOffer[],
): Readonly<Record<string, Refusal>> {
  const refused: Record<string, Refusal> = {}
  for (const { name, requires = {} } of services) {
    const { units = {}, ...machine } = requires
    for (const [unit, amount] of Object.entries({ ...machine, ...units })) {
      const has = Object.hasOwn(capacity, unit) ? (capacity[unit] ?? 0) : 0
      if (amount <= has) continue
      refused[name] ??= {
        reason: reasonOf(unit),
        text: `one attempt takes ${unit}=${amount} and the node has ${has}; ${remedyOf(unit)}`,
      }
    }
  }
  return refused
}

function reasonOf(unit: string): Refusal['reason'] {
  if (unit === 'cpu') return 'cpu'
  return unit === 'memoryMb' ? 'memory' : 'units'
}

function remedyOf(unit: string): string {
  return `declare more with --capacity ${unit}=N, or lower "requires" of the service`
}
