import { isRemoved, replicaIn } from './configuration.js'
import { type Body, isNotice, type RaftMessage } from './messages.js'
import type { ReplicaState } from './replica-state.js'

/** Why a message is not for this replica, and what its sender should be told of that, if anything. */
export interface Misaddressed {
  readonly reason: string
  readonly answer: Body | null
}

/**
 * Whether a message is for this replica, of somebody who may speak (protocol §1.5, W1; §1.6, R1).
 * A wiped, a replaced or a removed replica must never count as the one that it was.
 *
 * @returns null when it is
 */
export function misaddressed(state: ReplicaState, message: RaftMessage): Misaddressed | null {
  const { self, generation, arc } = state
  const { from, to } = message
  const silently = (reason: string): Misaddressed => ({ reason, answer: null })
  const answering = (reason: string, answer: Body): Misaddressed => ({
    reason,
    answer: isNotice(message) ? null : answer,
  })
  if (message.arc !== arc) return silently('other-arc')
  if (from.replicaId === self.replicaId) return silently('own-number')
  if (message.generation < generation && !isNotice(message)) {
    return answering('stale-generation', { kind: 'stale-generation' })
  }
  if (message.generation > generation && !isNotice(message)) return silently('newer-generation')
  if (to.store !== self.store) return answering('store-mismatch', { kind: 'store-mismatch' })
  if (to.replicaId > self.replicaId) return silently('later-replica')
  if (to.replicaId < self.replicaId) {
    return answering('too-old', { kind: 'too-old', config: state.config })
  }
  if (isNotice(message)) return null
  const known = replicaIn(state.config, from.replicaId)
  if (known !== undefined && known.store !== from.store) return silently('other-sender')
  const committed = state.configs.committed(state.commitIndex)
  if (!isRemoved(committed, from)) return null
  return answering('removed-sender', { kind: 'removed', config: committed })
}
