import { Prng } from '@gyre/core/internal/base/prng.js'
import { drawFaults, type Fault } from './faults.js'
import type { FinalState } from './final-state.js'
import type { Held } from './observation.js'
import type { ProcessEnd } from './sim-process.js'
import { type Survey, surveyAll } from './survey.js'
import { askTimelines, type JobTimeline } from './timelines.js'
import { drawOptions, type SimOptions } from './swarm.js'
import { Workload } from './workload.js'
import { type GoesOn, World } from './world.js'

/** How long a healed node may need for all its work, milliseconds of virtual time. */
const LIVENESS_MS = 4 * 3_600_000
/**
 * No timer of a drawn job is longer than this: when so long nothing is committed, nothing will be. But
 * a client whose clock had jumped may have asked for a start hours from now.
 */
const STANDSTILL_MS = 60_000
/** Passes over the log and checkpoints of the state that a calm node makes in this time: several each. */
const SCRUB_MS = 60_000
/** More events than any run needs: something goes round in circles. */
const STEPS_MAX = 3_000_000
/** Between two looks at whether everything has come to rest, milliseconds; longer each time. */
const SURVEY_MS = { first: 500, growth: 1.3, max: 15_000 }

/** How long the node refuses the same services before the first look, milliseconds. */
const REFUSING_MS = 10_000
/** Between two looks: enough for what was on its way at the first to have arrived. */
const BETWEEN_LOOKS_MS = 2_000

/** Longer than the node waits without a word. */
const HANGS_MS = [14_000, 25_000]

const KILLED: ProcessEnd = { kind: 'killed' }

export type Verdict = 'passed' | 'refused' | 'crashed' | 'violated' | 'stuck' | 'unfinished'

export interface RunResult {
  readonly seed: number
  readonly verdict: Verdict
  /** What went wrong, in words; empty when nothing did. */
  readonly message: string
  /** The checkers that found a violation, `crash`, `standstill`: one, or with `goesOn` all of them. */
  readonly caughtBy: readonly string[]
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
  /** Instead of what the seed draws: for scenarios that want certain conditions. */
  readonly vary?: Partial<SimOptions>
  /** Shows each line of the trace. */
  readonly print?: (line: string) => void
  /** Absent: the first violation ends the run. */
  readonly goesOn?: GoesOn
  /** Gives the run up, unfinished, after so many events. */
  readonly stepsMax?: number
}

/** The schedule that a seed draws. */
export function faultsOf(options: SimOptions): readonly Fault[] {
  const prng = new Prng(options.seed).fork('faults')
  const untilMs = options.chaosMs
  const { faultKinds: kinds, faultCount: count, logRots } = options
  const faults = drawFaults(prng, { kinds, count, untilMs })
  const rot = drawFaults(new Prng(options.seed).fork('rot faults'), {
    kinds: ['rot-closed-segment'],
    count: logRots,
    untilMs,
  })
  const cold = drawFaults(new Prng(options.seed).fork('cold rot faults'), {
    kinds: ['rot-cold-segment'],
    count: options.coldRots,
    untilMs,
  })
  const hangs = drawFaults(new Prng(options.seed).fork('hang faults'), {
    kinds: ['disk-hang', 'ledger-hang'],
    count: options.hangs,
    untilMs,
    ms: HANGS_MS,
  })
  return [...faults, ...rot, ...cold, ...hangs].sort((a, b) => a.at - b.at || a.seed - b.seed)
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
  readonly #stepsMax: number
  #isStuck: string | null = null
  #isUnfinished = false
  #jobCount = 0
  #held: Held = { openJobs: [], runningAttempts: 0, pendingProposals: 0 }

  constructor(request: RunRequest) {
    this.#options = { ...drawOptions(request.seed), ...request.vary }
    this.#faults = request.faults ?? faultsOf(this.#options)
    const { print = null, goesOn = false, stepsMax = Infinity } = request
    this.#stepsMax = stepsMax
    this.#world = new World(this.#options, { print, goesOn })
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
    if (this.#goesOn) this.#beWellBehaved()
    if (this.#goesOn && this.#world.faults.hasRotted) this.#beScrubbed()
    if (this.#goesOn && this.#options.refusals) this.#refuseForAWhile()
    if (this.#goesOn) this.#comeToRest()
    if (this.#goesOn && this.#options.refusals) this.#look()
    if (this.#goesOn) this.#cutPowerAtRest()
    if (this.#goesOn && this.#keepsClosedSegments) this.#rotWhatIsCovered()
    if (this.#goesOn && this.#options.bitRots) this.#rotAtRest()
    return this.#result()
  }

  get #goesOn(): boolean {
    return !this.#world.isOver && this.#isStuck === null && !this.#isUnfinished
  }

  get #keepsClosedSegments(): boolean {
    return this.#options.coldRots > 0 || this.#options.logRots > 0
  }

  #beUnsafe(): void {
    this.#world.startNode()
    this.#world.faults.schedule(this.#faults)
    this.#workload.start()
    this.#runUntil(this.#options.chaosMs, () => false)
  }

  /** From now on nothing breaks any more, and clients finish what they began. */
  #beWellBehaved(): void {
    this.#world.faults.heal()
    this.#workload.wantNoMore()
  }

  /** What waits then is told so; and once the node takes everything, nobody is any more. */
  #refuseForAWhile(): void {
    const { refusals } = this.#world
    refusals.keep()
    this.#world.endLife(KILLED, 100)
    this.#lookAfter(REFUSING_MS)
    this.#world.endLife(KILLED, 100)
    this.#lookAfter(BETWEEN_LOOKS_MS)
    refusals.end()
    this.#world.endLife(KILLED, 100)
    this.#lookAfter(BETWEEN_LOOKS_MS)
  }

  #lookAfter(ms: number): void {
    const { time } = this.#world
    this.#runUntil(time.now + ms, () => false)
    if (this.#goesOn) this.#look()
  }

  /** A node that does not serve, or dies meanwhile, is not looked at. */
  #look(): void {
    const life = this.#world.servingLife
    if (life === null) return
    const found: (readonly JobTimeline[])[] = []
    askTimelines(life.api, this.#options.arcCount, (timelines) => found.push(timelines))
    const until = this.#world.time.now + STANDSTILL_MS
    this.#runUntil(until, () => found.length > 0 || this.#world.servingLife !== life)
    const [timelines] = found
    if (timelines !== undefined) this.#world.observe({ kind: 'looked', timelines })
  }

  /** In that time the node must have found what has rotted, and given it up. */
  #beScrubbed(): void {
    this.#runUntil(this.#world.time.now + SCRUB_MS, () => false)
    if (this.#goesOn) this.#world.observe({ kind: 'had-time-to-scrub' })
  }

  #cutPowerAtRest(): void {
    this.#world.endLife({ kind: 'power-cut' }, 100)
    this.#comeToRest()
  }

  /**
   * After a stop in good order the state holds all that stands in the log, durably: whatever rots then in
   * segments that are closed, the node must start and show the same.
   */
  #rotWhatIsCovered(): void {
    const life = this.#world.servingLife
    life?.api.stop()
    this.#runUntil(this.#world.time.now + STANDSTILL_MS, () => this.#world.life !== life)
    if (!this.#goesOn || this.#world.life !== null) return
    this.#world.faults.rotCovered(new Prng(this.#options.seed).fork('covered rot'))
    this.#comeToRest()
    // What was given up stays so: the next start finds a log that is in order.
    this.#world.endLife(KILLED, 100)
    this.#comeToRest()
  }

  /**
   * A bit of the log rots while the node is down. It must be told, or not matter: with the same jobs
   * shown as before, or with a node that refuses to start because of it.
   */
  #rotAtRest(): void {
    this.#world.endLife(KILLED, 100)
    this.#world.faults.rot(new Prng(this.#options.seed).fork('rot'))
    this.#comeToRest()
  }

  #comeToRest(): void {
    const { time } = this.#world
    const begin = time.now
    let pauseMs = SURVEY_MS.first
    while (this.#goesOn) {
      this.#runUntil(time.now + pauseMs, () => false)
      pauseMs = Math.min(pauseMs * SURVEY_MS.growth, SURVEY_MS.max)
      const state = this.#goesOn && this.#workload.isDone ? this.#survey() : null
      if (state !== null) {
        this.#jobCount = state.jobs.length
        return this.#world.observe({ kind: 'rested', state })
      }
      const idleMs = time.now - Math.max(begin, this.#world.lastEntryAt)
      if (idleMs > (this.#isScheduled ? LIVENESS_MS : STANDSTILL_MS)) this.#standStill()
      else if (time.now - begin > LIVENESS_MS) this.#isStuck = `it never ends: ${this.#whatIsOpen}`
    }
  }

  get #isScheduled(): boolean {
    return this.#held.openJobs.some((job) => job.endsWith(' scheduled'))
  }

  /** What is held for ever has checkers of its own; that jobs do not end is told when they are content. */
  #standStill(): void {
    this.#world.observe({ kind: 'stood-still', held: this.#held })
    this.#isStuck = `nothing moves any more: ${this.#whatIsOpen}`
  }

  get #whatIsOpen(): string {
    if (this.#world.life === null) return 'the node is down'
    if (this.#world.servingLife === null) return 'the node is not serving'
    if (!this.#workload.isDone) return 'clients wait for answers'
    const { openJobs, runningAttempts, pendingProposals } = this.#held
    const counts = `${runningAttempts} attempts run, ${pendingProposals} proposals wait`
    return [...openJobs, counts].join(', ')
  }

  /** @returns null when something is still going on */
  #survey(): FinalState | null {
    const life = this.#world.servingLife
    if (life === null) return null
    const found: Survey[] = []
    surveyAll(life.api, this.#options.arcCount, (survey) => found.push(survey))
    const until = this.#world.time.now + STANDSTILL_MS
    this.#runUntil(until, () => found.length > 0 || this.#world.servingLife !== life)
    const [survey] = found
    if (survey === undefined) return null
    const { runningAttempts, pendingProposals } = survey.status
    this.#held = { openJobs: survey.open, runningAttempts, pendingProposals }
    const isQuiet = survey.open.length === 0 && runningAttempts === 0 && pendingProposals === 0
    return isQuiet ? { jobs: survey.jobs, records: survey.records } : null
  }

  #runUntil(time: number, isEnough: () => boolean): void {
    const { time: clock } = this.#world
    while (this.#goesOn && !isEnough() && clock.step(time)) {
      this.#world.noticePowerCut()
      if (clock.stepCount >= this.#stepsMax) this.#isUnfinished = true
      else if (clock.stepCount > STEPS_MAX) this.#isStuck = `more than ${STEPS_MAX} events`
    }
  }

  #result(): RunResult {
    const { time, trace } = this.#world
    const stats = {
      virtualMs: time.now,
      events: time.stepCount,
      traceLines: trace.lineCount,
      jobs: this.#jobCount,
    }
    const { seed } = this.#options
    return {
      seed,
      ...this.#judge(),
      caughtBy: this.#catchers,
      traceHash: trace.digest(),
      options: this.#options,
      faults: this.#faults,
      stats,
    }
  }

  get #catchers(): readonly string[] {
    const { violations, crash } = this.#world
    return [
      ...violations.map(({ checker }) => checker),
      ...(crash === null ? [] : ['crash']),
      ...(this.#isStuck === null ? [] : ['standstill']),
    ]
  }

  #judge(): { readonly verdict: Verdict; readonly message: string } {
    const { violations, crash, refusal } = this.#world
    const [violation] = violations
    if (violation !== undefined) return { verdict: 'violated', message: violation.message }
    if (crash !== null)
      return {
        verdict: 'crashed',
        message: crash instanceof Error ? (crash.stack ?? crash.message) : String(crash),
      }
    if (this.#isStuck !== null) return { verdict: 'stuck', message: this.#isStuck }
    if (this.#isUnfinished) return { verdict: 'unfinished', message: '' }
    const isRotTold = this.#world.faults.hasRotted && refusal?.startsWith('log_damaged') === true
    if (isRotTold) return { verdict: 'passed', message: '' }
    if (refusal !== null) return { verdict: 'refused', message: refusal }
    return { verdict: 'passed', message: '' }
  }
}
