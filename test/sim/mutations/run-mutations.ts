import { readKillers } from './killers.js'
import { MUTATIONS, type Mutation } from './list.js'
import { PlantedProcess } from './planted-process.js'

/** Mutations that `--only` chooses. */
export function chosen(only: string | undefined): readonly Mutation[] {
  return MUTATIONS.filter(({ name }) => only === undefined || name === only)
}

/**
 * Replays for each mutation the seeds that are known to kill it: with `all` every one of them to its end,
 * else until everything that has to catch it has done so.
 *
 * @returns 0 when each was killed in the ways that it must be, else 3
 */
export async function runMutations(
  only: string | undefined,
  { all }: { readonly all: boolean },
): Promise<number> {
  const killers = readKillers()
  const planted = new PlantedProcess()
  let survivors = 0
  try {
    for (const mutation of chosen(only)) {
      const seeds = killers[mutation.name] ?? []
      const isKilled = await (all ? replayAll : replay)(mutation, seeds, planted)
      if (!isKilled) survivors += 1
    }
  } finally {
    planted.close()
  }
  return survivors === 0 ? 0 : 3
}

/** @returns whether each that has to catch the mutation did, under one or another of its seeds */
async function replay(
  { name, caughtBy }: Mutation,
  seeds: readonly number[],
  planted: PlantedProcess,
): Promise<boolean> {
  const missing = new Set(caughtBy)
  let how = UNKNOWN_KILLER
  for (const seed of seeds) {
    if (missing.size === 0) break
    const trial = await planted.run({ mutation: name, seed, goesOn: [...missing] })
    for (const catcher of trial.caughtBy) missing.delete(catcher)
    how = trial.how
  }
  return tell(name, { caughtBy, missing, how })
}

/** @returns whether each seed still catches something, and all of them together everything */
async function replayAll(
  { name, caughtBy }: Mutation,
  seeds: readonly number[],
  planted: PlantedProcess,
): Promise<boolean> {
  const missing = new Set(caughtBy)
  let how = UNKNOWN_KILLER
  let isEachOfUse = true
  for (const seed of seeds) {
    const trial = await planted.run({ mutation: name, seed, goesOn: true })
    const isOfUse = caughtBy.some((catcher) => trial.caughtBy.includes(catcher))
    if (!isOfUse) console.log(`IDLE     seed ${seed} of ${name}: ${trial.how}`)
    isEachOfUse &&= isOfUse
    for (const catcher of trial.caughtBy) missing.delete(catcher)
    how = trial.how
  }
  return tell(name, { caughtBy, missing, how }) && isEachOfUse
}

interface Told {
  readonly caughtBy: readonly string[]
  readonly missing: ReadonlySet<string>
  readonly how: string
}

function tell(name: string, { caughtBy, missing, how }: Told): boolean {
  const isKilled = missing.size === 0
  console.log(
    isKilled
      ? `killed   ${name} by ${caughtBy.join(', ')}`
      : `SURVIVES ${name}: not caught by ${[...missing].join(', ')}; ${how}`,
  )
  return isKilled
}

const UNKNOWN_KILLER = 'no killing seed is stored; run --sweep-mutations'
