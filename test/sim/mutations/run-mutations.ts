import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runSeed } from '../run.js'
import { MUTATIONS, type Mutation } from './list.js'

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))
const REGISTER = new URL('./register.js', import.meta.url).href
/** In the sources, not in dist: it is kept in the repository. */
const KILLERS = fileURLToPath(new URL('../../../sim/mutations/killers.json', import.meta.url))
/** A mutated node may run in circles. */
const RUN_TIMEOUT_MS = 120_000

const EXIT_USAGE = 1

/** How many killing seeds are kept for a mutation: a change elsewhere may spoil one. */
const KILLERS_KEPT = 3

/** Mutation → seeds that kill it. */
type Killers = Record<string, readonly number[]>

interface Trial {
  readonly mutation: string
  /** The seed under which the mutated node failed; null: it survived. */
  readonly seed: number | null
  /** Why, in a line. */
  readonly how: string
}

/**
 * Replays for each mutation the seeds that are known to kill it, up to the first that does.
 *
 * @returns 0 when each was killed, else 3
 */
export function runMutations(only: string | undefined): number {
  const killers = readKillers()
  let survivors = 0
  for (const mutation of chosen(only)) {
    const trial = replay(mutation, killers[mutation.name] ?? [])
    console.log(describe(trial))
    if (trial.seed === null) survivors += 1
  }
  return survivors === 0 ? 0 : 3
}

/** Looks for killing seeds among 1 … `seedCount` for each mutation, and writes down what it finds. */
export function sweepMutations(seedCount: number, only: string | undefined): number {
  const killers = readKillers()
  let survivors = 0
  for (const mutation of chosen(only)) {
    const seeds = sweep(mutation, seedCount)
    if (seeds.length === 0) survivors += 1
    else killers[mutation.name] = seeds
    writeKillers(killers)
  }
  return survivors === 0 ? 0 : 3
}

export function readKillers(): Killers {
  return JSON.parse(readFileSync(KILLERS, 'utf8'))
}

function writeKillers(killers: Killers): void {
  const sorted = Object.fromEntries(Object.entries(killers).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(KILLERS, `${JSON.stringify(sorted, null, 2)}\n`)
}

function chosen(only: string | undefined): readonly Mutation[] {
  return MUTATIONS.filter(({ name }) => only === undefined || name === only)
}

function replay(mutation: Mutation, seeds: readonly number[]): Trial {
  let trial: Trial = { mutation: mutation.name, seed: null, how: UNKNOWN_KILLER }
  for (const seed of seeds) {
    trial = tryOut(mutation, seed, 1)
    if (trial.seed !== null) return trial
  }
  return trial
}

/** A seed counts only if the node as it is passes it. */
function sweep(mutation: Mutation, seedCount: number): readonly number[] {
  const seeds: number[] = []
  for (let from = 1; from <= seedCount && seeds.length < KILLERS_KEPT; ) {
    const trial = tryOut(mutation, from, seedCount - from + 1)
    console.log(describe(trial))
    if (trial.seed === null) return seeds
    const { verdict } = runSeed({ seed: trial.seed })
    if (verdict === 'passed' || verdict === 'refused') seeds.push(trial.seed)
    from = trial.seed + 1
  }
  return seeds
}

function tryOut(mutation: Mutation, seed: number, runs: number): Trial {
  const args = ['--import', REGISTER, MAIN, '--seed', String(seed), '--runs', String(runs)]
  const env = { ...process.env, GYRE_MUTATION: mutation.name }
  const timeout = RUN_TIMEOUT_MS + runs * 1_000
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout })
  if (child.status === EXIT_USAGE)
    return { mutation: mutation.name, seed: null, how: lastError(child.stderr) }
  if (child.status === 0) return { mutation: mutation.name, seed: null, how: 'it survives' }
  return { mutation: mutation.name, ...failureIn(child.stdout, seed) }
}

/** The last seed begun and the verdict on it; a run that was cut off failed on the seed after. */
function failureIn(
  output: string,
  firstSeed: number,
): { readonly seed: number; readonly how: string } {
  const seeds = [...output.matchAll(/^seed (\d+) (passed|refused|crashed|violated|stuck) /gm)]
  const [, seed, verdict] = seeds.at(-1) ?? []
  const how = /^(?:violated|crashed|stuck): (.{0,120})/m.exec(output)?.[0]
  if (how !== undefined) return { seed: Number(seed), how }
  const next = seed === undefined ? firstSeed : Number(seed) + 1
  return {
    seed: next,
    how: `ran for more than ${RUN_TIMEOUT_MS} ms after verdict ${verdict ?? 'none'}`,
  }
}

/** A stale entry, most likely. */
function lastError(text: string): string {
  return /^Error: (.*)/m.exec(text.replace(/^Error: \n/gm, ''))?.[1] ?? text.slice(0, 300)
}

const UNKNOWN_KILLER = 'no killing seed is stored; run --sweep-mutations'

function describe({ mutation, seed, how }: Trial): string {
  return `${seed === null ? 'SURVIVES' : 'killed  '} ${mutation} ${seed === null ? '' : `by seed ${seed} `}${how}`
}
