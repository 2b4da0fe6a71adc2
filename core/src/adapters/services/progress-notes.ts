import type { Dispatch } from '../../protocol/node/messages.js'
import { PROGRESS_EVERY_MS, PROGRESS_NOTE_CHARS_MAX } from './limits.js'
import type { ProgressNote, ServicesLogLine } from './thread-messages.js'

/**
 * What a handler says about its progress, in the handler's thread. A loop may say it a million times: of
 * what it says within a short while only the newest leaves the thread.
 */
export class ProgressNotes {
  readonly #dispatch: Dispatch
  readonly #write: (line: ServicesLogLine) => void
  #newest: ProgressNote | null = null
  #mayWriteAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null

  constructor(dispatch: Dispatch, write: (line: ServicesLogLine) => void) {
    this.#dispatch = dispatch
    this.#write = write
  }

  /** Never throws: what is no amount is not told. */
  note(done: unknown, total: unknown, note: unknown): void {
    if (!isAmount(done)) return
    this.#newest = {
      done,
      ...(isAmount(total) ? { total } : {}),
      ...(typeof note === 'string' ? { note: note.slice(0, PROGRESS_NOTE_CHARS_MAX) } : {}),
    }
    // Not only by the timer: a handler that computes leaves it no turn of the loop.
    const waitMs = this.#mayWriteAt - performance.now()
    if (waitMs <= 0) return this.flush()
    this.#timer ??= setTimeout(() => this.flush(), waitMs)
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#newest === null) return
    this.#write(lineOf(this.#dispatch, this.#newest))
    this.#newest = null
    this.#mayWriteAt = performance.now() + PROGRESS_EVERY_MS
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function lineOf(
  { service, job, step, attempt }: Dispatch,
  progress: ProgressNote,
): ServicesLogLine {
  const of = progress.total === undefined ? '' : ` of ${progress.total}`
  const said = progress.note === undefined ? '' : `: ${progress.note}`
  const message = `progress ${progress.done}${of}${said}`
  return { level: 'info', message, fields: { service, job, step, attempt }, progress }
}
