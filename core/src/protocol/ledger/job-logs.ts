import type { AttemptRef, LogLine } from './command.js'
import type { JobEdit } from './job-edit.js'
import { JOB_LOG_BYTES_MAX } from './limits.js'
import { endOf, keys, type LogRow } from './rows-layout.js'
import { utf8Length } from './text-bytes.js'

/** A job's log in sum: absent while nothing was logged. */
export interface LogSum {
  /** Lines ever, and so the number of the newest one. */
  readonly count: number
  /** Of the lines that are kept, as JSON; ≤ JOB_LOG_BYTES_MAX. */
  readonly bytes: number
  /** Lines that had to make room for newer ones, or never had any. */
  readonly dropped: number
}

/**
 * Keeps what a handler logged, as its attempt's report brought it: in the same commit, so that it costs
 * none of its own and is there exactly if the report counted. The newest 64 KiB of a job stay, since
 * what was said last tells most about how it went; older reports make room as a whole.
 */
export function keepLogs(edit: JobEdit, ref: AttemptRef, lines: readonly LogLine[]): void {
  if (lines.length === 0) return
  const { count, bytes, dropped } = edit.row.logs ?? { count: 0, bytes: 0, dropped: 0 }
  const { step, index, hook, attempt } = ref
  const row: LogRow = {
    from: count + 1,
    bytes: utf8Length(JSON.stringify(lines)),
    step,
    ...(index === null ? {} : { index }),
    ...(hook === 'run' ? {} : { hook }),
    attempt,
    lines,
  }
  const fits = row.bytes <= JOB_LOG_BYTES_MAX
  const before: LogSum = { count: count + lines.length, bytes, dropped }
  const room = dropOldest(edit, before, fits ? JOB_LOG_BYTES_MAX - row.bytes : JOB_LOG_BYTES_MAX)
  if (fits) edit.context.rows.put(keys.logs(edit.id, row.from), row)
  const added = fits ? { bytes: row.bytes, dropped: 0 } : { bytes: 0, dropped: lines.length }
  const after = { bytes: room.bytes + added.bytes, dropped: room.dropped + added.dropped }
  edit.patch({ logs: { count: before.count, ...after } })
}

function dropOldest(edit: JobEdit, sum: LogSum, bytesMax: number): LogSum {
  const { rows } = edit.context
  const prefix = keys.logsOf(edit.id)
  let { bytes, dropped } = sum
  while (bytes > bytesMax) {
    const [oldest] = rows.scan<LogRow>(prefix, endOf(prefix), 1)
    if (oldest === undefined) break
    rows.delete(oldest.key)
    bytes -= oldest.value.bytes
    dropped += oldest.value.lines.length
  }
  return { ...sum, bytes, dropped }
}
