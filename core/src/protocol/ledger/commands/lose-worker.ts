import { assert } from '../../../base/assert.js'
import type { AttemptRef, LoseWorkerCommand } from '../command.js'
import { currentAttempt, endAttempt } from '../end-attempt.js'
import type { EntryContext } from '../entry-context.js'
import { SCAN_PAGE_ROWS } from '../limits.js'
import type { Applied } from '../outcome.js'
import { keys, sortable } from '../rows-layout.js'

/**
 * A node's earlier lives are proven to be over: every attempt leased by one of them is lost, in the
 * order of boot epoch and attempt. Whether such an attempt had an effect nobody knows.
 */
export function loseWorker(context: EntryContext, command: LoseWorkerCommand): Applied {
  const from = keys.leasesOf(command.node)
  const to = `${from}${sortable(command.beforeBoot)}`
  for (;;) {
    const page = context.rows.scan<AttemptRef>(from, to, SCAN_PAGE_ROWS)
    for (const { key, value } of page) {
      const current = currentAttempt(context, value)
      assert(current !== undefined, `${key} is a lease of no running attempt`)
      endAttempt(current.edit, current.place, { kind: 'lost', charged: true })
    }
    if (page.length < SCAN_PAGE_ROWS) return { ok: true, result: 'done' }
  }
}
