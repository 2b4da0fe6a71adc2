import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MUTATIONS } from './list.js'

/** In the sources, not in dist: it is kept in the repository. */
const KILLERS = fileURLToPath(new URL('../../../sim/mutations/killers.json', import.meta.url))

/** Mutation → seeds that kill it, in the order in which they are replayed. */
export type Killers = Record<string, readonly number[]>

export function readKillers(): Killers {
  return JSON.parse(readFileSync(KILLERS, 'utf8'))
}

/** Entries of mutations that are no more go. */
export function writeKillers(killers: Killers): void {
  const names = MUTATIONS.map(({ name }) => name).sort()
  const known = names.filter((name) => killers[name] !== undefined)
  const lines = known.map((name) => `  "${name}": [${(killers[name] ?? []).join(', ')}]`)
  writeFileSync(KILLERS, `{\n${lines.join(',\n')}\n}\n`)
}

/** A seed under which the mutated node failed. */
export interface Kill {
  readonly seed: number
  /** Everything that has to catch the mutation and did. */
  readonly caughtBy: readonly string[]
  /** Of the simulation, until it had. */
  readonly events: number
}

/**
 * The seeds to keep: first the few that together show all there is to show, each the one that shows most,
 * among equals the cheapest; then for each catcher the next cheapest, because a change may spoil one.
 *
 * @param keep  how many for each catcher, if there are as many; at least 1
 */
export function cheapest(
  kills: readonly Kill[],
  catchers: readonly string[],
  keep: number,
): number[] {
  const left = [...kills].sort((a, b) => a.events - b.events || a.seed - b.seed)
  const kept: number[] = []
  for (let times = 1; times <= keep; times += 1) {
    const missing = new Set(catchers)
    for (;;) {
      const gain = ({ caughtBy }: Kill): number => caughtBy.filter((one) => missing.has(one)).length
      const best = left.reduce((most, kill) => Math.max(most, gain(kill)), 0)
      const chosen = left.findIndex((kill) => gain(kill) === best)
      if (best === 0 || chosen < 0) break
      for (const { seed, caughtBy } of left.splice(chosen, 1)) {
        kept.push(seed)
        for (const catcher of caughtBy) missing.delete(catcher)
      }
    }
  }
  return kept
}
