import type { FromServices, ToServices } from '../protocol/node/messages.js'
import type { Link } from './link.js'

/**
 * Where attempts run: a thread of its own that may be blocked, crash or be restarted at any moment
 * without the rest of the node noticing more than `withdrawn` and new `offers`.
 *
 * Promises to the engine:
 *
 * W1  each dispatched attempt gets exactly one `ended`, whatever happens to handler and thread
 * W2  when `ended` arrives no code of that attempt will run any more, so a retry or compensation may
 *     start; what it set off outside this process is beyond anyone's reach
 * W3  `offers` comes first and after each restart; between `withdrawn` and `offers` nothing begins, and
 *     what is dispatched meanwhile is ended `not_started` at once
 * W4  messages arrive in a turn of their own, never from inside `send`
 */
export interface WorkerHost extends Link<ToServices, FromServices> {
  start(): void
  /**
   * Aborts what still runs, waits for it as long as for any abort, then ends the thread and reports
   * the rest. `done` is called once, after the last `ended`.
   */
  stop(done: () => void): void
}
