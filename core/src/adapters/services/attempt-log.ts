import type { AttemptProgress } from '../../protocol/ledger/command.js'
import type { AttemptNews } from '../../protocol/node/messages.js'
import { keptLine } from './kept-line.js'
import { LOG_WINDOW_BYTES, PROGRESS_NOTE_CHARS_MAX } from './limits.js'
import type { ProgressNote, ServicesLogLine } from './thread-messages.js'

/**
 * What an attempt has told and the ledger has not heard yet, kept outside its thread: so it is there also
 * when the thread had to be ended. Now and then it goes into the ledger (live-news.ts), the rest with the
 * attempt's report. The newest lines stay, the others are counted.
 */
export class AttemptLog {
  #lines: { readonly text: string; readonly bytes: number }[] = []
  #bytes = 0
  /** Lines that nobody will hear of any more. */
  #dropped = 0
  /** The newest progress; its line stands last, once the attempt has ended. */
  #progress: { readonly line: string; readonly told: string } | null = null
  #hasNewProgress = false

  add(line: ServicesLogLine, at: number): void {
    const text = JSON.stringify(keptLine(line, at))
    if (line.progress !== undefined) return this.#keepProgress(text, line.progress, at)
    if (isAmount(line.dropped)) this.#drop(this.#lines.length, line.dropped)
    const bytes = Buffer.byteLength(text) + 1
    this.#lines.push({ text, bytes })
    this.#bytes += bytes
    while (this.#bytes > LOG_WINDOW_BYTES) this.#drop(1, 0)
  }

  /** Lines that were lost with the attempt's thread; they count as if they had stood before those that came. */
  lose(count: number): void {
    this.#drop(0, count)
  }

  /** What is new since the last time, before the attempt's end. */
  takeNews(): AttemptNews {
    return this.#take([])
  }

  /** What goes with the report. */
  takeLast(): AttemptNews {
    if (this.#progress === null && this.#lines.length === 0 && this.#dropped === 0) return NO_NEWS
    return this.#take(this.#progress === null ? [] : [this.#progress.line])
  }

  #take(last: readonly string[]): AttemptNews {
    const texts = [...this.#lines.map(({ text }) => text), ...last]
    const dropped = this.#dropped
    const progress = this.#hasNewProgress ? this.#progress?.told : undefined
    this.#lines = []
    this.#bytes = 0
    this.#dropped = 0
    this.#hasNewProgress = false
    return {
      ...(texts.length === 0 ? {} : { logs: `[${texts.join(',')}]` }),
      ...(dropped === 0 ? {} : { logsDropped: dropped }),
      ...(progress === undefined ? {} : { progress }),
    }
  }

  /** The oldest lines, and `more` that stood behind them and never came here. */
  #drop(count: number, more: number): void {
    for (const { bytes } of this.#lines.splice(0, count)) this.#bytes -= bytes
    this.#dropped += count + Math.floor(more)
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

/** Most attempts tell nothing. */
const NO_NEWS: AttemptNews = {}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
