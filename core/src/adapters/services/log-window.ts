import { LOG_WINDOW_BYTES, LOG_WINDOW_MS } from './limits.js'
import type { ServicesLogLine } from './thread-messages.js'

/**
 * What an attempt logs, in the handler's thread. Lines leave it at once, since the last words of a handler that
 * blocks or ends its thread are those that count; but a loop may log a million: when a job's log is full of what
 * has left within a pause, only the newest are held, until the pause or the attempt is over.
 */
export class LogWindow {
  readonly #write: (line: ServicesLogLine) => void
  readonly #noteHeld: (lines: number) => void
  #held: { readonly line: ServicesLogLine; readonly bytes: number }[] = []
  #heldBytes = 0
  #dropped = 0
  /** What may still leave at once, until the pause is over. */
  #bytesLeft = 0
  #pauseEndsAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null

  /** @param noteHeld  is told how many lines nobody would hear of if the thread were ended now */
  constructor(write: (line: ServicesLogLine) => void, noteHeld: (lines: number) => void) {
    this.#write = write
    this.#noteHeld = noteHeld
  }

  /** @param bytes  what it takes in the job's log */
  add(line: ServicesLogLine, bytes: number): void {
    // Not only by the timer: a handler that computes leaves it no turn of the loop.
    if (this.#waitMs() <= 0) this.flush()
    if (this.#held.length === 0 && bytes <= this.#bytesLeft) {
      this.#bytesLeft -= bytes
      return this.#write(line)
    }
    this.#hold(line, bytes)
    this.#timer ??= setTimeout(() => this.flush(), this.#waitMs())
  }

  /** What was held leaves, and a new pause begins. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const [held, dropped] = [this.#held, this.#dropped]
    this.#bytesLeft = LOG_WINDOW_BYTES - this.#heldBytes
    this.#pauseEndsAt = performance.now() + LOG_WINDOW_MS
    this.#held = []
    this.#heldBytes = 0
    this.#dropped = 0
    for (const [index, { line }] of held.entries()) {
      this.#noteHeld(held.length - index - 1)
      this.#write(index === 0 && dropped > 0 ? { ...line, dropped } : line)
    }
  }

  #waitMs(): number {
    return this.#pauseEndsAt - performance.now()
  }

  #hold(line: ServicesLogLine, bytes: number): void {
    this.#held.push({ line, bytes })
    this.#heldBytes += bytes
    while (this.#heldBytes > LOG_WINDOW_BYTES) {
      this.#heldBytes -= this.#held.shift()?.bytes ?? 0
      this.#dropped += 1
    }
    this.#noteHeld(this.#held.length + this.#dropped)
  }
}

/** Into the node's log, with a line in the place of those that did not leave their thread. */
export function logWithGap(line: ServicesLogLine, log: (line: ServicesLogLine) => void): void {
  if (line.dropped !== undefined) {
    const { service, job, step, attempt } = line.fields
    const message = `${line.dropped} lines were left out: attempts log ${LOG_WINDOW_BYTES} bytes in ${LOG_WINDOW_MS} ms at most`
    log({ level: 'warn', message, fields: { service, job, step, attempt } })
  }
  log(line)
}
