import { attemptsIn } from '../handler-counts.js'
import { type Checker, type Observation, Violation } from '../observation.js'

/**
 * I20 for handlers: an attempt that was told that it has counted stands in its record once, whatever
 * died meanwhile; one that asked and was told nothing stands there at most as often as it asked; nobody
 * else does.
 */
export class HandlersCounted implements Checker {
  readonly name = 'handlers-counted'
  /** Record and attempt → how often it asked. */
  readonly #asked = new Map<string, number>()
  readonly #counted = new Map<string, number>()

  observe(_at: number, observation: Observation): void {
    if (observation.kind === 'counting') add(this.#asked, observation)
    else if (observation.kind === 'counted') add(this.#counted, observation)
    else if (observation.kind === 'rested') {
      const held = new Map<string, number>()
      for (const { key, value } of observation.state.records) {
        if (!key.startsWith('counter/')) continue
        for (const attempt of attemptsIn(value)) add(held, { key, attempt })
      }
      this.#check(held)
    }
  }

  #check(held: ReadonlyMap<string, number>): void {
    for (const [who, times] of this.#counted) {
      const found = held.get(who) ?? 0
      if (found >= times) continue
      throw new Violation(
        this.name,
        `${who} was told ${times} times that it counts, and ${found} do`,
      )
    }
    for (const [who, found] of held) {
      const times = this.#asked.get(who) ?? 0
      if (found > times)
        throw new Violation(this.name, `${who} stands there ${found} times for ${times}`)
    }
  }
}

function add(
  counts: Map<string, number>,
  { key, attempt }: { readonly key: string; readonly attempt: string },
): void {
  const who = `${key} ${attempt}`
  counts.set(who, (counts.get(who) ?? 0) + 1)
}
