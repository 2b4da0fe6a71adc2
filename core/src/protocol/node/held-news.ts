import { HELD_LOG_CHARS_MAX } from './limits.js'
import type { AttemptNews } from './messages.js'

/**
 * What attempts told while the node had no room for it: it goes with their next note, or with their
 * report. Of what each has logged about as much is held as a job keeps, the newest of it.
 */
export class HeldNews {
  readonly #held = new Map<string, AttemptNews>()

  hold(attempt: string, news: AttemptNews): void {
    this.#held.set(attempt, this.#joined(attempt, news))
  }

  /** What was held and what is new, in this order; nothing is held any more. */
  take(attempt: string, news: AttemptNews): AttemptNews {
    const all = this.#joined(attempt, news)
    this.#held.delete(attempt)
    return all
  }

  #joined(attempt: string, news: AttemptNews): AttemptNews {
    const before = this.#held.get(attempt)
    if (before === undefined) return news
    return { ...before, ...news, ...joinedLogs(before, news) }
  }
}

function joinedLogs(before: AttemptNews, after: AttemptNews): AttemptNews {
  const { logsDropped = 0 } = before
  if (before.logs === undefined || after.logs === undefined) return {}
  // Lines are missing between the two: what is older than those is none of the newest.
  if (after.logsDropped !== undefined)
    return { logsDropped: logsDropped + linesIn(before.logs).length + after.logsDropped }
  const logs = `${before.logs.slice(0, -1)},${after.logs.slice(1)}`
  if (logs.length <= HELD_LOG_CHARS_MAX) return { logs }
  const lines = linesIn(logs)
  const kept = newestTexts(lines)
  return { logs: `[${kept.join(',')}]`, logsDropped: logsDropped + lines.length - kept.length }
}

/** A JSON array that is not empty, line by line. */
function linesIn(logs: string): readonly unknown[] {
  return JSON.parse(logs)
}

function newestTexts(lines: readonly unknown[]): string[] {
  const texts = lines.map((line) => JSON.stringify(line))
  let chars = texts.reduce((sum, text) => sum + text.length + 1, 1)
  const first = texts.findIndex((text) => {
    if (chars <= HELD_LOG_CHARS_MAX) return true
    chars -= text.length + 1
    return false
  })
  return texts.slice(first === -1 ? texts.length - 1 : first)
}
