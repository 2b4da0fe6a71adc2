import { Prng } from '@gyre/core/internal/base/prng.js'
import { drawFaults, type Fault } from './faults.js'
import { FINAL_STATUSES, type FinalState, type JobView } from './final-state.js'
import { observeJobs, type JobList } from './survey.js'
import { drawOptions, type SimOptions } from './swarm.js'
import { Workload } from './workload.js'
import { World } from './world.js'

/** How long a healed node has to finish everything, milliseconds of virtual time. */
const LIVENESS_MS = 600_000
/** More events than any run needs: something goes round in circles. */
const STEPS_MAX = 3_000_000
/** Between two looks at whether everything has come to rest, milliseconds. */
const SURVEY_MS = 500

export type Verdict = 'passed' | 'refused' | 'crashed' | 'violated' | 'stuck'

export interface RunResult {
  readonly seed: number
  readonly verdict: Verdict
  /** What went wrong, in words; empty when nothing did. */
  readonly message: string
  readonly traceHash: string
  readonly options: SimOptions
  readonly faults: readonly Fault[]
  readonly stats: RunStats
}

export interface RunStats {
  readonly virtualMs: number
  readonly events: number
  readonly traceLines: number
  readonly jobs: number
}

export interface RunRequest {
  readonly seed: number
  /** Instead of the schedule that the seed draws. */
  readonly faults?: readonly Fault[]
  /** Shows each line of the trace. */
  readonly print?: (line: string) => void
}

/** The schedule that a seed draws. */
export function faultsOf(options: SimOptions): readonly Fault[] {
  const prng = new Prng(options.seed).fork('faults')
  return drawFaults(prng, { kinds: options.faultKinds, count: options.faultCount, untilMs: options.chaosMs })
}

/**
 * Runs one seed: a phase of safety, in which anything may break and nothing may lie; then a phase of
 * liveness, in which nothing breaks any more and everything must come to rest; then a power cut,
 * after which everything must look the same.
 */
export function runSeed(request: RunRequest): RunResult {
  return new Run(request).go()
}

class Run {
  readonly #options: SimOptions
  readonly #faults: readonly Fault[]
  readonly #world: World
  readonly #workload: Workload
  #isStuck: string | null = null
  #jobCount = 0

  constructor(request: RunRequest) {
    this.#options = drawOptions(request.seed)
    this.#faults = request.faults ?? faultsOf(this.#options)
    this.#world = new World(this.#options, request.print ?? null)
    this.#workload = new Workload({
      time: this.#world.time,
      prng: new Prng(request.seed).fork('workload'),
      sim: this.#options,
      api: () => this.#world.servingLife?.api ?? null,
      wallNow: () => this.#world.wallNow,
      observe: (observation) => this.#world.observe(observation),
    })
    this.#world.onLifeEnded(() => this.#workload.onLifeEnded())
  }

  go(): RunResult {
    this.#beUnsafe()
    if (this.#goesOn) this.#beLively()
    if (this.#goesOn) this.#cutPowerAtRest()
    return this.#result()
  }

  get #goesOn(): boolean {
    return !this.#world.isOver && this.#isStuck === null
  }

  #beUnsafe(): void {
    this.#world.startNode()
    this.#world.faults.schedule(this.#faults)
    this.#workload.start()
    this.#runUntil(this.#options.chaosMs, () => false)
  }

  #beLively(): void {
    this.#world.faults.heal()
    this.#workload.wantNoMore()
    this.#comeToRest()
  }

  #cutPowerAtRest(): void {
    this.#world.endLife({ kind: 'power-cut' }, 100)
    this.#comeToRest()
  }

  #comeToRest(): void {
    const deadline = this.#world.time.now + LIVENESS_MS
    let state: FinalState | null = null
    while (this.#goesOn && state === null) {
      if (this.#world.time.now >= deadline) {
        this.#isStuck = `not at rest ${LIVENESS_MS} ms after the last fault: ${this.#whatIsOpen}`
        return
      }
      this.#runUntil(this.#world.time.now + SURVEY_MS, () => false)
      if (this.#goesOn && this.#workload.isDone) state = this.#survey(deadline)
    }
    if (state === null) return
    this.#jobCount = state.jobs.length
    this.#world.observe({ kind: 'rested', state })
  }

  #openJobs: readonly string[] = []

  get #whatIsOpen(): string {
    if (this.#world.life === null) return 'the node is down'
    if (this.#world.servingLife === null) return 'the node is not serving'
    if (!this.#workload.isDone) return 'clients wait for answers'
    return this.#openJobs.join(', ')
  }

  /** @returns null when something is still going on */
  #survey(deadline: number): FinalState | null {
    const life = this.#world.servingLife
    if (life === null) return null
    let list: JobList | null = null
    observeJobs(life.api, this.#options.arcCount, (found) => {
      list = found
    })
    this.#runUntil(deadline, () => list !== null || this.#world.servingLife !== life)
    const found = list as JobList | null
    if (found === null) return null
    this.#openJobs = found.jobs.filter(({ status }) => !FINAL_STATUSES.has(status)).map(describeJob)
    const { runningAttempts, pendingProposals } = found.status
    const isQuiet = this.#openJobs.length === 0 && runningAttempts === 0 && pendingProposals === 0
    return isQuiet ? { jobs: found.jobs, runningAttempts, pendingProposals } : null
  }

  #runUntil(time: number, isEnough: () => boolean): void {
    const { time: clock } = this.#world
    while (this.#goesOn && !isEnough() && clock.step(time)) {
      this.#world.noticePowerCut()
      if (clock.stepCount > STEPS_MAX) this.#isStuck = `more than ${STEPS_MAX} events`
    }
  }

  #result(): RunResult {
    const { time, trace } = this.#world
    const stats = { virtualMs: time.now, events: time.stepCount, traceLines: trace.lineCount, jobs: this.#jobCount }
    const { seed } = this.#options
    return { seed, ...this.#judge(), traceHash: trace.digest(), options: this.#options, faults: this.#faults, stats }
  }

  #judge(): { readonly verdict: Verdict; readonly message: string } {
    const { violation, crash, refusal } = this.#world
    if (violation !== null) return { verdict: 'violated', message: violation.message }
    if (crash !== null) return { verdict: 'crashed', message: crash instanceof Error ? (crash.stack ?? crash.message) : String(crash) }
    if (this.#isStuck !== null) return { verdict: 'stuck', message: this.#isStuck }
    if (refusal !== null) return { verdict: 'refused', message: refusal }
    return { verdict: 'passed', message: '' }
  }
}

function describeJob(job: JobView): string {
  const steps = job.steps.map(({ name, status, attemptCount }) => `${name} ${status} ${attemptCount}`)
  return `job ${job.id} ${job.status} (${steps.join('; ')})`
}
