import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Fault } from './faults.js'
import { runMutations } from './mutations/run-mutations.js'
import { sweepMutations } from './mutations/sweep-mutations.js'
import { type RunResult, runSeed, type Verdict } from './run.js'
import { drawOptions } from './swarm.js'
import { shrink } from './shrink.js'

/**
 * The simulator's command: `npm run sim -- --seed 42`. Exit codes: 0 all well, 1 wrong usage, 2 a
 * crash, 3 a broken promise, 4 something never came to rest. The last line of a failure replays it.
 */
const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  passed: 0,
  refused: 0,
  crashed: 2,
  violated: 3,
  stuck: 4,
  unfinished: 0,
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    log: { type: 'boolean', default: false },
    schedule: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    'go-on': { type: 'boolean', default: false },
    twice: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    mutations: { type: 'boolean', default: false },
    'sweep-mutations': { type: 'boolean', default: false },
    seeds: { type: 'string', default: '40' },
    only: { type: 'string' },
  },
})

process.exitCode = await main()

async function main(): Promise<number> {
  if (values.mutations) return runMutations(values.only, { all: true })
  if (values['sweep-mutations']) return sweepMutations(Number(values.seeds), values.only)
  const first = Number(values.seed)
  const count = Number(values.runs)
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count)) {
    console.error('--seed and --runs expect integers')
    return 1
  }
  if (count === 1) {
    console.log(`running seed ${first} of commit ${commit()}`)
    console.log(`options ${JSON.stringify(drawOptions(first))}`)
  }
  return soak(first, count)
}

/**
 * Seeds one after another, up to a number or, with `--minutes`, up to a time; up to the first failure,
 * unless `--go-on` asks for all that there is to find.
 */
function soak(first: number, count: number): number {
  let worst = 0
  const until = values.minutes === undefined ? 0 : Date.now() + Number(values.minutes) * 60_000
  const tally = new Map<Verdict, number>()
  for (let seed = first; seed < first + count || Date.now() < until; seed += 1) {
    const result = runOnce(seed, scheduleFromFile())
    tally.set(result.verdict, (tally.get(result.verdict) ?? 0) + 1)
    const code = EXIT_CODES[result.verdict]
    if (code !== 0) worst = Math.max(worst, reportFailure(result, code))
    if (worst > 0 && !values['go-on']) return worst
    if (values.twice && runOnce(seed, scheduleFromFile()).traceHash !== result.traceHash) {
      console.log(`seed ${seed} gave another trace the second time`)
      return reportFailure(result, 3)
    }
  }
  console.log([...tally].map(([verdict, runs]) => `${runs} ${verdict}`).join(', '))
  return worst
}

function runOnce(seed: number, faults: readonly Fault[] | undefined): RunResult {
  const print = values.log ? { print: (line: string) => console.log(line) } : {}
  const goesOn = values['go-on']
  const result = runSeed({ seed, goesOn, ...(faults === undefined ? {} : { faults }), ...print })
  console.log(
    `seed ${seed} ${result.verdict} trace ${result.traceHash} ` +
      `${(result.stats.virtualMs / 1000).toFixed(1)} s virtual, ${result.stats.events} events, ${result.stats.jobs} jobs`,
  )
  return result
}

function reportFailure(result: RunResult, code: number): number {
  console.log(`seed ${result.seed} of commit ${commit()}`)
  console.log(`options ${JSON.stringify(result.options)}`)
  for (const fault of result.faults) console.log(`fault ${JSON.stringify(fault)}`)
  console.log(`${result.verdict}: ${result.message}`)
  console.log(`caught by ${result.caughtBy.join(', ')}`)
  if (values.shrink) return reportShrunk(result, code)
  const schedule = values.schedule === undefined ? '' : ` --schedule ${values.schedule}`
  console.log(`npm run sim -- --seed ${result.seed}${schedule} --log`)
  return code
}

/** Leaves out faults for as long as the run fails in the same way, and writes what is left. */
function reportShrunk(result: RunResult, code: number): number {
  const fails = (faults: readonly Fault[]): boolean =>
    runSeed({ seed: result.seed, faults }).verdict === result.verdict
  const faults = shrink(result.faults, fails)
  const path = `sim-${result.seed}.json`
  writeFileSync(path, `${JSON.stringify(faults, null, 2)}\n`)
  console.log(`${faults.length} of ${result.faults.length} faults are enough`)
  console.log(`npm run sim -- --seed ${result.seed} --schedule ${path} --log`)
  return code
}

function scheduleFromFile(): readonly Fault[] | undefined {
  if (values.schedule === undefined) return undefined
  return JSON.parse(readFileSync(values.schedule, 'utf8'))
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
