import type { ServiceLoad } from './messages.js'
import type { Slots } from './slots.js'

/** What runs and waits here, by service. */
export function loadOf(
  slots: Slots,
  waiting: ReadonlyMap<string, number>,
  blockedCounts: ReadonlyMap<string, number>,
): Readonly<Record<string, ServiceLoad>> {
  const names = new Set([
    ...slots.services(),
    ...slots.used().keys(),
    ...waiting.keys(),
    ...blockedCounts.keys(),
  ])
  const loads = [...names].map((name): readonly [string, ServiceLoad] => {
    const running = slots.used().get(name) ?? 0
    const blocked = blockedCounts.get(name) ?? 0
    const shortage = slots.shortage(name)
    return [name, { running, waiting: waiting.get(name) ?? 0, shortage, blocked }]
  })
  return Object.fromEntries(loads)
}
