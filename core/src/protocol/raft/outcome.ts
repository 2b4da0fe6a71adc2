import type { Replica } from './configuration.js'

/**
 * What came of an input. Roles return it; raft.ts carries out the changes of role, so that each of
 * them happens in one place.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'ignored'; readonly reason: string }
  /** Follow this leader, or wait for one, in the term that runs. */
  | { readonly kind: 'follow'; readonly leader: Replica | null; readonly reason: string }
  | { readonly kind: 'pre-campaign' }
  /** `transfer`: at the leader's request. */
  | { readonly kind: 'campaign'; readonly transfer: boolean }
  | { readonly kind: 'lead' }

export const DONE: Outcome = { kind: 'done' }

export function ignored(reason: string): Outcome {
  return { kind: 'ignored', reason }
}
