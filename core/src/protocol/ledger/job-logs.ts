import { utf8Length } from '@gyre/jobs'
import type { AttemptNotes } from './attempt-notes.js'
import type { LogLine } from './command.js'
import type { JobEdit } from './job-edit.js'
import { JOB_LOG_BYTES_MAX } from './limits.js'
import { endOf, keys, type LogRow } from './rows-layout.js'

/** A job's log in sum: absent while nothing was logged. */
export interface LogSum {
  /** Lines ever, dropped ones too, and so the number of the newest one. */
  readonly count: number
  /** Of the lines that are kept, as JSON; ≤ JOB_LOG_BYTES_MAX. */
  readonly bytes: number
  /** Lines that are no longer there: they made room for newer ones, here or on their way. */
  readonly dropped: number
}

/**
 * Keeps what a handler logged, as its attempt's report brought it: in the same commit, so that it costs
 * none of its own and is there exactly if the report counted. The newest 64 KiB of a job stay, since
 * what was said last tells most about how it went. A line keeps its number, also behind lines that were
 * dropped on their way: those are older than all that the report brings.
 */
export function keepLogs(
  edit: JobEdit,
  { attempt: ref, logs = [], logsDropped = 0 }: AttemptNotes,
): void {
  if (logs.length === 0 && logsDropped === 0) return
  const sum = edit.row.logs ?? { count: 0, bytes: 0, dropped: 0 }
  const lines = newestOf(logs, JOB_LOG_BYTES_MAX)
  const lost = logsDropped + logs.length - lines.length
  const bytes = bytesOf(lines)
  const before = dropOldest(edit, sum, JOB_LOG_BYTES_MAX - bytes)
  const { step, index, hook, attempt } = ref
  const row: LogRow = {
    from: sum.count + lost + 1,
    bytes,
    step,
    ...(index === null ? {} : { index }),
    ...(hook === 'run' ? {} : { hook }),
    attempt,
    lines,
  }
  if (lines.length > 0) edit.context.rows.put(keys.logs(edit.id, row.from), row)
  const count = sum.count + lost + lines.length
  edit.patch({ logs: { count, bytes: before.bytes + bytes, dropped: before.dropped + lost } })
}

function dropOldest(edit: JobEdit, sum: LogSum, bytesMax: number): LogSum {
  const { rows } = edit.context
  const prefix = keys.logsOf(edit.id)
  let { bytes, dropped } = sum
  while (bytes > bytesMax) {
    const [oldest] = rows.scan<LogRow>(prefix, endOf(prefix), 1)
    if (oldest === undefined) break
    const row = withoutOldest(oldest.value, oldest.value.bytes - (bytes - bytesMax))
    rows.delete(oldest.key)
    if (row.lines.length > 0) rows.put(keys.logs(edit.id, row.from), row)
    bytes -= oldest.value.bytes - row.bytes
    dropped += row.from - oldest.value.from
  }
  return { ...sum, bytes, dropped }
}

function withoutOldest(row: LogRow, bytesMax: number): LogRow {
  const lines = newestOf(row.lines, bytesMax)
  const from = row.from + row.lines.length - lines.length
  return { ...row, from, bytes: bytesOf(lines), lines }
}

/** As many of the last lines as fit. */
function newestOf(lines: readonly LogLine[], bytesMax: number): readonly LogLine[] {
  let first = lines.length
  // Each with the comma or bracket behind it; the first bracket is the one byte that is left.
  let bytes = 1
  for (const line of lines.toReversed()) {
    bytes += utf8Length(JSON.stringify(line)) + 1
    if (bytes > bytesMax) break
    first -= 1
  }
  return first === 0 ? lines : lines.slice(first)
}

function bytesOf(lines: readonly LogLine[]): number {
  return lines.length === 0 ? 0 : utf8Length(JSON.stringify(lines))
}
