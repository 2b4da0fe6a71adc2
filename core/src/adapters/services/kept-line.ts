import type { LogLine } from '../../protocol/ledger/command.js'
import { LOG_LINE_BYTES_MAX } from './limits.js'
import type { ServicesLogLine } from './thread-messages.js'

/**
 * A line as a job's log keeps it. What says whose line it is, is known of the report; an endless line would
 * take all the room, so it is cut and says so.
 */
export function keptLine({ level, message, fields }: ServicesLogLine, at: number): LogLine {
  // It may come from a thread whose built-ins are bent.
  const text = String(message)
  const { service: _service, job: _job, step: _step, attempt: _attempt, ...own } = fields
  const size = Object.keys(own).length === 0 ? 0 : bytesOf(own)
  if (size > LOG_LINE_BYTES_MAX) {
    const mark = ` [fields left out: ${size} bytes]`
    return { at, level, message: cut(text, LOG_LINE_BYTES_MAX - mark.length) + mark }
  }
  const line = { at, level, message: cut(text, LOG_LINE_BYTES_MAX) }
  return size === 0 ? line : { ...line, fields: own as NonNullable<LogLine['fields']> }
}

function cut(text: string, bytesMax: number): string {
  if (text.length <= bytesMax && bytesOf(text) <= bytesMax) return text
  const mark = ` … [cut: ${text.length} characters in all]`
  const room = bytesMax - bytesOf(mark)
  let head = text.slice(0, room)
  // Other alphabets and control characters take up to six bytes each.
  while (bytesOf(head) > room) head = head.slice(0, Math.floor((head.length * 3) / 4))
  // Never half of a pair.
  return head.replace(/[\uD800-\uDBFF]$/, '') + mark
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
