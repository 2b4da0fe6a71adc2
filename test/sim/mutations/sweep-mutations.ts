import { runSeed } from '../run.js'
import { cheapest, type Kill, type Killers, readKillers, writeKillers } from './killers.js'
import type { Mutation } from './list.js'
import { PlantedProcess } from './planted-process.js'
import { chosen } from './run-mutations.js'

/** How many killing seeds are kept for each that has to catch a mutation: a change may spoil one. */
const KILLERS_KEPT = 3
/**
 * All seeds are first run for so many events, those that caught nothing by then for more: most bugs show
 * early under one seed or another, and what shows early is cheap to replay. The last is a whole run.
 */
const EVENTS_MAX = [250, 1_000, 4_000, 16_000, Infinity]

/** Looks for the cheapest killing seeds among 1 … `seedCount` for each mutation, and writes them down. */
export async function sweepMutations(seedCount: number, only: string | undefined): Promise<number> {
  const killers = readKillers()
  const planted = new PlantedProcess()
  let survivors = 0
  try {
    for (const mutation of chosen(only)) {
      const { name, caughtBy } = mutation
      const kills = await sweep(mutation, candidates(killers, name, seedCount), planted)
      const missing = caughtBy.filter((catcher) => catches(kills, catcher) === 0)
      if (missing.length > 0) survivors += 1
      const found = missing.length === 0 ? 'killed  ' : `SURVIVES ${missing.join(', ')}:`
      if (kills.length > 0) killers[name] = cheapest(kills, caughtBy, KILLERS_KEPT)
      console.log(`${found} ${name}: seeds ${(killers[name] ?? []).join(', ')}`)
      writeKillers(killers)
    }
  } finally {
    planted.close()
  }
  return survivors === 0 ? 0 : 3
}

async function sweep(
  { name, caughtBy }: Mutation,
  seeds: readonly number[],
  planted: PlantedProcess,
): Promise<readonly Kill[]> {
  const kills: Kill[] = []
  for (const stepsMax of EVENTS_MAX) {
    for (const seed of seeds) {
      const before = kills.find((kill) => kill.seed === seed)
      if (before?.caughtBy.length === caughtBy.length) continue
      if (caughtBy.every((catcher) => catches(kills, catcher) >= KILLERS_KEPT)) return kills
      const trial = await planted.run({ mutation: name, seed, goesOn: caughtBy, stepsMax })
      if (trial.error !== null) throw new Error(`${name}: ${trial.error}`)
      const caught = caughtBy.filter((catcher) => trial.caughtBy.includes(catcher))
      if (caught.length <= (before?.caughtBy.length ?? 0) || !isPassed(seed)) continue
      if (before !== undefined) kills.splice(kills.indexOf(before), 1)
      kills.push({ seed, caughtBy: caught, events: trial.events })
    }
  }
  return kills
}

/** 1 … `seedCount` and what is known; first those that are cheap killers of most, since some runs are denser. */
function candidates(killers: Killers, name: string, seedCount: number): readonly number[] {
  const firsts = Object.values(killers).map(([first]) => first)
  const uses = new Map<number, number>()
  for (const seed of firsts) if (seed !== undefined) uses.set(seed, (uses.get(seed) ?? 0) + 1)
  const drawn = Array.from({ length: seedCount }, (_, index) => index + 1)
  const all = [...new Set([...drawn, ...(killers[name] ?? [])])]
  return all.sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0) || a - b)
}

function catches(kills: readonly Kill[], catcher: string): number {
  return kills.filter((kill) => kill.caughtBy.includes(catcher)).length
}

const passed = new Map<number, boolean>()

/** A seed counts only if the node as it is passes it. */
function isPassed(seed: number): boolean {
  const known = passed.get(seed)
  if (known !== undefined) return known
  const { verdict } = runSeed({ seed })
  const isFine = verdict === 'passed' || verdict === 'refused'
  passed.set(seed, isFine)
  return isFine
}
