import type { OfferServicesCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { keys, type ServiceRow } from '../rows-layout.js'

/**
 * Remembers for ever which services the ring has known, with their newest description: a submission
 * may name a service that no live node offers, but not one that never existed.
 */
export function offerServices(context: EntryContext, command: OfferServicesCommand): Applied {
  for (const offer of command.services) {
    const name = nameOf(offer)
    if (name === null) continue
    const key = keys.service(name)
    const known = context.rows.get<ServiceRow>(key)
    if (known !== undefined && JSON.stringify(known.offer) === JSON.stringify(offer)) continue
    const row: ServiceRow = { offer }
    context.rows.put(key, row)
  }
  return { ok: true, result: 'done' }
}

/** Offers come from plugins by way of another thread: one without a name is passed over. */
function nameOf(offer: OfferServicesCommand['services'][number]): string | null {
  if (typeof offer !== 'object' || offer === null || !('name' in offer)) return null
  return typeof offer.name === 'string' ? offer.name : null
}
