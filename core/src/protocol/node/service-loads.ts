import type { ArcId, Duration, Instant } from '../../base/ids.js'
import type { Grants } from './grants.js'
import type { ServiceLoad } from './messages.js'
import type { Slots } from './slots.js'

/**
 * What runs and waits here, by service.
 *
 * @param waited  how long ago an instant of an arc's time was
 */
export function loadOf(
  slots: Slots,
  grants: Grants,
  blocked: ReadonlyMap<string, number>,
  waited: (arc: ArcId, since: Instant) => Duration,
): Readonly<Record<string, ServiceLoad>> {
  const used = slots.used()
  const waiting = grants.waiting()
  const oldest = grants.oldest(waited)
  const names = new Set([...slots.services(), ...used.keys(), ...waiting.keys(), ...blocked.keys()])
  const loads = [...names].map((name): readonly [string, ServiceLoad] => {
    const load = {
      running: used.get(name) ?? 0,
      waiting: waiting.get(name) ?? 0,
      oldestMs: oldest.get(name) ?? 0,
      shortage: slots.shortage(name),
      blocked: blocked.get(name) ?? 0,
      granted: slots.granted(name),
      free: slots.free(name),
    }
    return [name, load]
  })
  return Object.fromEntries(loads)
}
