import type { Link } from '../ports/link.js'
import type { DurableState } from '../protocol/node/log-cover.js'
import type { FromLedgerThread, ToLedgerThread } from '../protocol/node/messages.js'

type LedgerLink = Link<ToLedgerThread, FromLedgerThread>

/**
 * Listens to a ledger thread that begins, until it has said what it has loaded and that this is durable.
 *
 * @param heard  gets that, or null where the disk has no room to make it durable; and the link, on which
 *   everything that was heard comes once more, to whoever listens next
 */
export function hearDurableState(
  link: LedgerLink,
  heard: (state: DurableState | null, link: LedgerLink) => void,
): void {
  let kept: FromLedgerThread[] = []
  /** Null once it was told: what it holds is not kept for the rest of the node's life. */
  let listener: typeof heard | null = heard
  let receiver: ((messages: readonly FromLedgerThread[]) => void) | null = null
  const replaying: LedgerLink = {
    send: (message) => link.send(message),
    onReceive: (receive) => {
      receiver = receive
      const before = kept
      kept = []
      if (before.length > 0) receive(before)
    },
  }
  link.onReceive((messages) => {
    if (receiver !== null) return receiver(messages)
    kept.push(...messages)
    const tell = listener
    const state = tell === null ? undefined : stateIn(kept)
    if (state === undefined) return
    listener = null
    tell?.(state, replaying)
  })
}

/** @returns undefined: not all of it has been said yet */
function stateIn(messages: readonly FromLedgerThread[]): DurableState | null | undefined {
  const loaded = messages.find((message) => message.kind === 'loaded')
  if (loaded === undefined) return undefined
  const durable = messages.find((message) => message.kind === 'durable')
  if (durable !== undefined) return { applied: durable.applied, damaged: loaded.damaged ?? [] }
  return messages.some((message) => message.kind === 'state-full') ? null : undefined
}
