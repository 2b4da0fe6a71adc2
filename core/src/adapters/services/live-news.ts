import type { Clock } from '../../ports/clock.js'
import type { FromServices } from '../../protocol/node/messages.js'
import { NEWS_EVERY_MS } from './limits.js'
import type { RunningAttempt } from './running-attempts.js'
import type { ServicesLogLine } from './thread-messages.js'

export interface LiveNewsOptions {
  readonly clock: Clock
  readonly everyMs?: number
  readonly noted: (message: Extract<FromServices, { readonly kind: 'noted' }>) => void
}

/**
 * Tells what attempts log and how far they are while they run: the first line opens a pause, and what
 * has come when it is over goes as one note. So an attempt costs the ledger one commit a pause at
 * most, and none if it ends within its first one.
 */
export class LiveNews {
  readonly #options: LiveNewsOptions

  constructor(options: LiveNewsOptions) {
    this.#options = options
  }

  add(running: RunningAttempt, line: ServicesLogLine): void {
    const { clock, everyMs = NEWS_EVERY_MS, noted } = this.#options
    running.log.add(line, clock.now().wall)
    running.cancelNews ??= clock.alarm(everyMs, () => {
      running.cancelNews = null
      const news = running.log.takeNews()
      if (Object.keys(news).length > 0) noted({ kind: 'noted', attempt: running.attempt, ...news })
    })
  }
}
