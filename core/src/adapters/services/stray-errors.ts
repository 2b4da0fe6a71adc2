import type { Clock } from '../../ports/clock.js'
import { STRAY_LINES_PER_SECOND, STRAY_SERVICES_NAMED } from './limits.js'
import type { CodeOwner } from './on-cpu.js'
import { messageOf } from './outcome.js'
import type { ServicesLogLine } from './thread-messages.js'

export interface StrayErrorsOptions {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly log: (line: ServicesLogLine) => void
}

/**
 * Logs errors that nobody caught, each with the handler it came from, as long as they are few. Code
 * left behind in a loop makes thousands a second: past the first lines of a second they are counted,
 * which costs next to nothing, and told in one line when the second is over.
 */
export class StrayErrors {
  readonly #options: StrayErrorsOptions
  readonly #counts = new Map<string, number>()
  #secondEndsAt = Number.NEGATIVE_INFINITY
  #shown = 0
  #cancelAlarm: () => void = () => {}

  constructor(options: StrayErrorsOptions) {
    this.#options = options
  }

  note(what: string, error: unknown, owner: CodeOwner | undefined): void {
    const { clock, log } = this.#options
    const now = clock.now().mono
    // Not only by the alarm: a flood may leave it no turn of the loop to ring in.
    if (now >= this.#secondEndsAt) this.#beginSecond(now)
    const who = nameOf(owner)
    if (this.#shown === STRAY_LINES_PER_SECOND) return this.#count(who)
    this.#shown += 1
    log({
      level: 'error',
      message: `${what} in ${who}: ${messageOf(error)}; ${ADVICE}`,
      fields: owner === undefined ? {} : { service: owner.service, attempt: owner.attempt },
    })
  }

  #beginSecond(now: number): void {
    this.#summarise()
    this.#shown = 0
    this.#secondEndsAt = now + 1_000
  }

  #count(who: string): void {
    if (this.#counts.size === 0) {
      const leftMs = this.#secondEndsAt - this.#options.clock.now().mono
      this.#cancelAlarm = this.#options.clock.alarm(leftMs, () => this.#summarise())
    }
    this.#counts.set(who, (this.#counts.get(who) ?? 0) + 1)
  }

  #summarise(): void {
    if (this.#counts.size === 0) return
    this.#cancelAlarm()
    const counts = [...this.#counts].sort((a, b) => b[1] - a[1])
    this.#counts.clear()
    const total = counts.reduce((sum, [, count]) => sum + count, 0)
    const named = counts.slice(0, STRAY_SERVICES_NAMED)
    const names = named.map(([who, count]) => `${who} ${count}`).join(', ')
    const rest = counts.length > named.length ? `, ${counts.length - named.length} others` : ''
    this.#options.log({
      level: 'error',
      message: `${total} more errors that nobody caught were not shown: ${names}${rest}; ${ADVICE}`,
      fields: {},
    })
  }
}

const ADVICE = 'await what you start and catch its errors'

function nameOf(owner: CodeOwner | undefined): string {
  return owner === undefined ? 'code of a plugin outside any attempt' : `service ${owner.service}`
}
