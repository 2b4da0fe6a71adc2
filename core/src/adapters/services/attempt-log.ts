import type { LogLine } from '../../protocol/ledger/command.js'
import { LOG_BYTES_PER_ATTEMPT, LOG_LINE_BYTES_MAX } from './limits.js'
import type { ServicesLogLine } from './thread-messages.js'

/**
 * What an attempt has logged so far, kept outside its thread: so it is there also when the thread had to
 * be ended. It goes into the ledger with the attempt's report. The newest lines stay.
 */
export class AttemptLog {
  readonly #lines: { readonly text: string; readonly bytes: number }[] = []
  #bytes = 0
  /** The newest note of progress; it stands last. */
  #progress: string | null = null

  add(line: ServicesLogLine, at: number): void {
    const text = JSON.stringify(asKept(line, at))
    if (line.isProgress === true) {
      this.#progress = text
      return
    }
    const bytes = Buffer.byteLength(text) + 1
    this.#lines.push({ text, bytes })
    this.#bytes += bytes
    while (this.#bytes > LOG_BYTES_PER_ATTEMPT) this.#bytes -= this.#lines.shift()?.bytes ?? 0
  }

  /** JSON of its lines; undefined: it has none. */
  get text(): string | undefined {
    const texts = this.#lines.map(({ text }) => text)
    if (this.#progress !== null) texts.push(this.#progress)
    return texts.length === 0 ? undefined : `[${texts.join(',')}]`
  }
}

/** What says whose line it is, is known of the report; an endless line would take all the room. */
function asKept({ level, message, fields }: ServicesLogLine, at: number): LogLine {
  const { service: _service, job: _job, step: _step, attempt: _attempt, ...own } = fields
  const text =
    message.length > LOG_LINE_BYTES_MAX ? `${message.slice(0, LOG_LINE_BYTES_MAX)}…` : message
  const line = { at, level, message: text }
  const hasFields = Object.keys(own).length > 0
  const fits = hasFields && JSON.stringify(own).length <= LOG_LINE_BYTES_MAX
  return fits ? { ...line, fields: own as NonNullable<LogLine['fields']> } : line
}
