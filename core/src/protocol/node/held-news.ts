import type { AttemptNews } from './messages.js'

/**
 * What attempts told while the node had no room for it: it goes with their next note, or with their
 * report. At most what an attempt may log is held of each.
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
    return { ...before, ...news, ...joinedLogs(before.logs, news.logs) }
  }
}

/** Two JSON arrays that are not empty, as one. */
function joinedLogs(before: string | undefined, after: string | undefined): AttemptNews {
  if (before === undefined || after === undefined) return {}
  return { logs: `${before.slice(0, -1)},${after.slice(1)}` }
}
