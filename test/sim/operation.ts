import type { ArcId } from '@gyre/core/internal/base/ids.js'
import type { Command } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Query } from '@gyre/core/internal/protocol/ledger/query.js'

/**
 * One thing that a client wants, across all its tries. A try whose outcome is unknown is repeated
 * with the same idempotency key, or given up when there is none.
 */
export interface ClientOperation {
  /** Unique in a run. */
  readonly number: number
  /** Tries of one intention share it; `number` differs. */
  readonly intention: number
  readonly client: number
  readonly arc: ArcId
  readonly work:
    | { readonly kind: 'command'; readonly command: Command; readonly needs: readonly string[] }
    | { readonly kind: 'query'; readonly query: Query }
}
