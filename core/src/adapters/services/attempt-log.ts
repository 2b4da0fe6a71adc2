import type { AttemptProgress, LogLine } from '../../protocol/ledger/command.js'
import type { AttemptNews } from '../../protocol/node/messages.js'
import { LOG_BYTES_PER_ATTEMPT, LOG_LINE_BYTES_MAX, PROGRESS_NOTE_CHARS_MAX } from './limits.js'
import type { ProgressNote, ServicesLogLine } from './thread-messages.js'

/**
 * What an attempt has told and the ledger has not heard yet, kept outside its thread: so it is there also
 * when the thread had to be ended. Now and then it goes into the ledger (live-news.ts), the rest with the
 * attempt's report. The newest lines stay.
 */
export class AttemptLog {
  #lines: { readonly text: string; readonly bytes: number }[] = []
  #bytes = 0
  /** The newest progress; its line stands last, once the attempt has ended. */
  #progress: { readonly line: string; readonly told: string } | null = null
  #hasNewProgress = false

  add(line: ServicesLogLine, at: number): void {
    const text = JSON.stringify(asKept(line, at))
    if (line.progress !== undefined) return this.#keepProgress(text, line.progress, at)
    const bytes = Buffer.byteLength(text) + 1
    this.#lines.push({ text, bytes })
    this.#bytes += bytes
    while (this.#bytes > LOG_BYTES_PER_ATTEMPT) this.#bytes -= this.#lines.shift()?.bytes ?? 0
  }

  /** What is new since the last time, before the attempt's end. */
  takeNews(): AttemptNews {
    return this.#take([])
  }

  /** What goes with the report. */
  takeLast(): AttemptNews {
    return this.#take(this.#progress === null ? [] : [this.#progress.line])
  }

  #take(last: readonly string[]): AttemptNews {
    const texts = [...this.#lines.map(({ text }) => text), ...last]
    const progress = this.#hasNewProgress ? this.#progress?.told : undefined
    this.#lines = []
    this.#bytes = 0
    this.#hasNewProgress = false
    return {
      ...(texts.length === 0 ? {} : { logs: `[${texts.join(',')}]` }),
      ...(progress === undefined ? {} : { progress }),
    }
  }

  /** Numbers that are none, from a thread that has bent its built-ins, are left out. */
  #keepProgress(line: string, { done, total, note }: ProgressNote, at: number): void {
    if (!isAmount(done)) return
    const told: AttemptProgress = {
      at,
      done,
      ...(isAmount(total) ? { total } : {}),
      ...(note === undefined ? {} : { note: String(note).slice(0, PROGRESS_NOTE_CHARS_MAX) }),
    }
    this.#progress = { line, told: JSON.stringify(told) }
    this.#hasNewProgress = true
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
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
