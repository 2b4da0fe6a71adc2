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
/** Seeds of one process in a sweep. */
const CHUNK = 8
/** Of one process; what clients saw of a record can be long. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

const EXIT_USAGE = 1
const GO_ON = ['--go-on']

/** How many killing seeds are kept for each that has to catch a mutation: a change may spoil one. */
const KILLERS_KEPT = 3

/** Mutation → seeds that kill it. */
type Killers = Record<string, readonly number[]>

/** A seed under which the mutated node failed. */
interface Kill {
  readonly seed: number
  /** Everything that noticed, each by itself. */
  readonly caughtBy: readonly string[]
  /** Why, in a line. */
  readonly how: string
}

/**
 * Replays for each mutation the seeds that are known to kill it, until everything that has to catch it
 * has done so.
 *
 * @returns 0 when each was killed in the ways that it must be, else 3
 */
export function runMutations(only: string | undefined): number {
  const killers = readKillers()
  const survivors = chosen(only).filter((mutation) => !replay(mutation, killers))
  return survivors.length === 0 ? 0 : 3
}

/** Looks for killing seeds among 1 … `seedCount` for each mutation, and writes down what it finds. */
export function sweepMutations(seedCount: number, only: string | undefined): number {
  const killers = readKillers()
  let survivors = 0
  for (const mutation of chosen(only)) {
    const { seeds, missing } = sweep(mutation, seedCount)
    if (missing.length > 0) {
      console.log(`SURVIVES ${mutation.name}: not caught by ${missing.join(', ')}`)
      survivors += 1
    }
    if (seeds.length > 0) killers[mutation.name] = seeds
    writeKillers(killers)
  }
  return survivors === 0 ? 0 : 3
}

function readKillers(): Killers {
  return JSON.parse(readFileSync(KILLERS, 'utf8'))
}

/** Entries of mutations that are no more go. */
function writeKillers(killers: Killers): void {
  const names = MUTATIONS.map(({ name }) => name).sort()
  const known = names.filter((name) => killers[name] !== undefined)
  const sorted = Object.fromEntries(known.map((name) => [name, killers[name]]))
  const lines = Object.entries(sorted).map(
    ([name, seeds]) => `  "${name}": [${(seeds ?? []).join(', ')}]`,
  )
  writeFileSync(KILLERS, `{\n${lines.join(',\n')}\n}\n`)
}

function chosen(only: string | undefined): readonly Mutation[] {
  return MUTATIONS.filter(({ name }) => only === undefined || name === only)
}

/** @returns whether each that has to catch the mutation did, under one or another of its seeds */
function replay({ name, caughtBy }: Mutation, killers: Killers): boolean {
  const missing = new Set(caughtBy)
  let how = UNKNOWN_KILLER
  for (const seed of killers[name] ?? []) {
    if (missing.size === 0) break
    // Most bugs are caught at once by what must catch them: then the rest of the run is not needed.
    for (const mode of missing.size === 1 ? ([[], GO_ON] as const) : [GO_ON]) {
      const { kills, isStale } = tryOut(name, { seed, runs: 1, mode })
      for (const catcher of kills.flatMap((kill) => kill.caughtBy)) missing.delete(catcher)
      how = isStale ?? kills[0]?.how ?? 'it passes'
      if (missing.size === 0) break
    }
  }
  const isKilled = missing.size === 0
  console.log(
    isKilled
      ? `killed   ${name} by ${caughtBy.join(', ')}`
      : `SURVIVES ${name}: not caught by ${[...missing].join(', ')}; ${how}`,
  )
  return isKilled
}

/** A seed counts only if the node as it is passes it. */
function sweep(
  { name, caughtBy }: Mutation,
  seedCount: number,
): { readonly seeds: readonly number[]; readonly missing: readonly string[] } {
  const seeds: number[] = []
  const catches = new Map(caughtBy.map((catcher) => [catcher, 0]))
  const isWanted = (catcher: string): boolean =>
    (catches.get(catcher) ?? KILLERS_KEPT) < KILLERS_KEPT
  for (let from = 1; from <= seedCount && caughtBy.some(isWanted); ) {
    const runs = Math.min(CHUNK, seedCount - from + 1)
    const { kills, next, isStale } = tryOut(name, { seed: from, runs, mode: GO_ON })
    if (isStale !== null) throw new Error(isStale)
    for (const kill of kills) {
      if (!kill.caughtBy.some(isWanted) || !isPassed(kill.seed)) continue
      console.log(`killed   ${name} by seed ${kill.seed}: ${kill.caughtBy.join(', ')}; ${kill.how}`)
      seeds.push(kill.seed)
      for (const catcher of kill.caughtBy.filter((one) => catches.has(one)))
        catches.set(catcher, (catches.get(catcher) ?? 0) + 1)
    }
    from = next
  }
  return { seeds, missing: caughtBy.filter((catcher) => catches.get(catcher) === 0) }
}

function isPassed(seed: number): boolean {
  const { verdict } = runSeed({ seed })
  return verdict === 'passed' || verdict === 'refused'
}

interface Trial {
  readonly kills: readonly Kill[]
  /** The first seed that was not run. */
  readonly next: number
  /** Why nothing was run; null: it was. */
  readonly isStale: string | null
}

/** Runs the mutated node in a process of its own. */
function tryOut(
  name: string,
  {
    seed,
    runs,
    mode,
  }: { readonly seed: number; readonly runs: number; readonly mode: readonly string[] },
): Trial {
  const run = [...mode, '--seed', String(seed), '--runs', String(runs)]
  const child = spawnSync(process.execPath, ['--import', REGISTER, MAIN, ...run], {
    encoding: 'utf8',
    env: { ...process.env, GYRE_MUTATION: name },
    timeout: RUN_TIMEOUT_MS + runs * 10_000,
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  if (child.status === EXIT_USAGE)
    return { kills: [], next: seed, isStale: lastError(child.stderr) }
  const kills = killsIn(child.stdout)
  if (child.status !== null) return { kills, next: seed + runs, isStale: null }
  const cutOff = seed + [...child.stdout.matchAll(/^seed \d+ (?:[a-z]+) trace /gm)].length
  const endless = { seed: cutOff, caughtBy: ['standstill'], how: 'it never ends' }
  return { kills: [...kills, endless], next: cutOff + 1, isStale: null }
}

function killsIn(output: string): Kill[] {
  const failures = output.split(/^(?=seed \d+ of commit )/m).slice(1)
  return failures.map((failure) => ({
    seed: Number.parseInt(failure.slice('seed '.length), 10),
    caughtBy: /^caught by (.*)/m.exec(failure)?.[1]?.split(', ') ?? [],
    how: /^(?:violated|crashed|stuck): .{0,120}/m.exec(failure)?.[0] ?? '',
  }))
}

/** A stale entry, most likely. */
function lastError(text: string): string {
  return /^Error: (.*)/m.exec(text.replace(/^Error: \n/gm, ''))?.[1] ?? text.slice(0, 300)
}

const UNKNOWN_KILLER = 'no killing seed is stored; run --sweep-mutations'
