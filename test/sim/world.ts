import { createSuperblock } from '@gyre/core/internal/adapters/superblock.js'
import { Prng } from '@gyre/core/internal/base/prng.js'
import { makeCheckers } from './checkers/all.js'
import { describeFault, type Fault } from './faults.js'
import { FaultInjector } from './fault-injector.js'
import { SimFiles } from './disk.js'
import { NodeLife } from './node-life.js'
import { type Checker, type Observation, Violation } from './observation.js'
import type { ProcessEnd } from './sim-process.js'
import { SimRefusals } from './sim-refusals.js'
import { SimTable } from './sim-table.js'
import { MachineClock } from './sim-thread.js'
import type { SimOptions } from './swarm.js'
import { Trace } from './trace.js'
import { VirtualTime } from './virtual-time.js'

const START_WALL = Date.UTC(2026, 0, 1)
/** A node that ended by itself is started again after this long. */
const RESTART_MS = 100
/** An operator needs so long to read an alarm and to start the node again. */
const OPERATOR_MS = 2_000
/** A node that cannot start is tried this often before the run ends as `refused`. */
const FAILED_STARTS_MAX = 5

/**
 * What happens after a violation. True: the run goes on to its end, so that each checker says what it
 * sees. Names of checkers: until all of them have found something. False: the first ends it.
 */
export type GoesOn = boolean | readonly string[]

/**
 * One machine, what is plugged into it, and the lives of the node that runs on it. Starts it again
 * after each end, as an operator's supervisor would, and shows everything to the checkers.
 */
export class World {
  readonly time = new VirtualTime()
  readonly machineClock: MachineClock
  readonly files: SimFiles
  readonly table = new SimTable()
  readonly trace: Trace
  readonly faults: FaultInjector
  readonly refusals: SimRefusals
  readonly #options: SimOptions
  readonly #goesOn: GoesOn
  readonly #prng: Prng
  readonly #checkers: readonly Checker[]
  #life: NodeLife | null = null
  #lifeCount = 0
  #hasLog = false
  #isServing = false
  #failedStarts = 0
  #lastEntryAt = 0
  /** In the order in which they were found; none after the first, unless the run goes on. */
  readonly #violations: Violation[] = []
  /** Enough violations were found to end the run. */
  #isBroken = false
  #crash: unknown = null
  #refusal: string | null = null
  #onLifeEnded: () => void = () => undefined
  #onNextLife: (life: NodeLife) => void = () => undefined
  /** How long the node stays down after the end that a fault causes, milliseconds. */
  #downMs = RESTART_MS

  constructor(
    options: SimOptions,
    watching: { readonly print: ((line: string) => void) | null; readonly goesOn: GoesOn },
  ) {
    this.#options = options
    this.#goesOn = watching.goesOn
    this.#prng = new Prng(options.seed).fork('world')
    this.trace = new Trace(watching.print)
    this.machineClock = new MachineClock({
      wallOffset: START_WALL + options.wallErrorMs,
      monoStart: this.#prng.below(1_000_000) / 8,
      wallRate: options.wallRate,
    })
    const diskPrng = this.#prng.fork('disk')
    this.files = new SimFiles({
      schedule: (delayMs, run) => void this.time.after(delayMs, run),
      prng: diskPrng,
    })
    this.faults = new FaultInjector(this)
    const refusing = new Prng(options.seed).fork('refusals')
    this.refusals = new SimRefusals(refusing.fork('which'), options.refusals)
    this.#checkers = makeCheckers(this, options)
    createSuperblock(this.files, {
      clusterId: this.#prng.hex16() + this.#prng.hex16(),
      nodeId: this.#prng.hex16() + this.#prng.hex16(),
      storeId: this.#prng.hex16() + this.#prng.hex16(),
      name: 'sim',
      arcCount: options.arcCount,
      prefixLen: 0,
      hashName: 'sha256',
      recoveryGen: 0,
      maxTimeSeen: 0,
    })
  }

  get life(): NodeLife | null {
    return this.#life
  }

  /** The running life, once it answers clients. */
  get servingLife(): NodeLife | null {
    return this.#isServing ? this.#life : null
  }

  get violations(): readonly Violation[] {
    return this.#violations
  }

  get crash(): unknown {
    return this.#crash
  }

  /** Why the node refuses to start for good; null while it does not. */
  get refusal(): string | null {
    return this.#refusal
  }

  /** When an entry was last handed to the ledger, true time. */
  get lastEntryAt(): number {
    return this.#lastEntryAt
  }

  get isOver(): boolean {
    return this.#isBroken || this.#crash !== null || this.#refusal !== null
  }

  get wallNow(): number {
    return this.machineClock.read(this.time.now).wall
  }

  onLifeEnded(run: () => void): void {
    this.#onLifeEnded = run
  }

  startNode(): void {
    if (this.#life !== null || this.isOver) return
    this.#lifeCount += 1
    const life = new NodeLife({
      time: this.time,
      sim: this.#options,
      prng: this.#prng.fork(`life ${this.#lifeCount}`),
      machineClock: this.machineClock,
      files: this.files,
      table: this.table,
      refused: this.refusals.draw(),
      hasLog: this.#hasLog,
      observe: (observation) => this.observe(observation),
      onLogOpened: () => {
        this.#hasLog = true
      },
      onEnd: (end) => this.#onProcessEnd(end),
    })
    this.#life = life
    const onNextLife = this.#onNextLife
    this.#onNextLife = () => undefined
    onNextLife(life)
    life.start()
  }

  /** Runs `run` once, with the next life, before it begins. */
  onNextLife(run: (life: NodeLife) => void): void {
    this.#onNextLife = run
  }

  /** Ends the running life; the node stays down for `downMs`. */
  endLife(end: ProcessEnd, downMs: number): void {
    this.#downMs = downMs
    this.#life?.process.end(end)
    this.#downMs = RESTART_MS
  }

  /** The power may have gone in the middle of a disk operation, which takes the node with it. */
  noticePowerCut(): void {
    if (!this.files.isOff) return
    if (this.#life === null) this.faults.losePower()
    else this.#life.process.end({ kind: 'power-cut' })
  }

  /** The next end of the running life keeps the node down this long. */
  stayDownFor(downMs: number): void {
    this.#downMs = downMs
  }

  observe(observation: Observation): void {
    this.trace.line(this.time.now, traceLine(observation))
    if (observation.kind === 'entry') this.#lastEntryAt = this.time.now
    if (observation.kind === 'serving') {
      this.#isServing = true
      this.#failedStarts = 0
    }
    if (observation.kind === 'arc-damage-told') this.#onArcDamaged(observation.message)
    if (this.isOver) return
    for (const checker of this.#checkers) this.#show(checker, observation)
  }

  /** A checker that has found a violation has said what it had to say. */
  #show(checker: Checker, observation: Observation): void {
    if (this.isOver || this.#violations.some((found) => found.checker === checker.name)) return
    try {
      checker.observe(this.time.now, observation)
    } catch (error) {
      if (error instanceof Violation) this.#note(error)
      // What a checker takes for granted may not hold any more once another has found a violation.
      else if (this.#violations.length === 0) throw error
    }
  }

  #note(violation: Violation): void {
    this.#violations.push(violation)
    const found = new Set(this.#violations.map(({ checker }) => checker))
    this.#isBroken =
      typeof this.#goesOn === 'boolean'
        ? !this.#goesOn
        : this.#goesOn.every((checker) => found.has(checker))
  }

  noteFault(fault: Fault): void {
    this.trace.line(this.time.now, `fault ${describeFault(fault)}`)
  }

  /** Damaged state is removed, as its message asks, so that the next life rebuilds it from the log. */
  #onProcessEnd(end: ProcessEnd): void {
    const wasServing = this.#isServing
    const downMs = this.#downMs
    this.#downMs = RESTART_MS
    this.#life = null
    this.#isServing = false
    if (end.kind === 'power-cut') this.faults.losePower()
    else this.faults.loseProcess()
    if (end.kind === 'gave-up' && end.code === 'state_damaged') this.table.wipe()
    this.observe({ kind: 'life-ended', end })
    this.#onLifeEnded()
    if (end.kind === 'crashed') {
      this.#crash ??= end.error
      return
    }
    if (!wasServing && end.kind === 'gave-up') this.#onFailedStart(end)
    this.time.after(downMs, () => this.startNode())
  }

  /** The operator does as he is told: starts it again; what has no way out is the end of the run. */
  #onArcDamaged(message: string): void {
    if (/no longer reaches back/.test(message)) this.#refusal ??= `arc_damaged: ${message}`
    else this.time.after(OPERATOR_MS, () => this.endLife({ kind: 'killed' }, RESTART_MS))
  }

  #onFailedStart(end: Extract<ProcessEnd, { readonly kind: 'gave-up' }>): void {
    this.#failedStarts += 1
    if (this.#failedStarts >= FAILED_STARTS_MAX) this.#refusal = `${end.code}: ${end.message}`
  }
}

function traceLine(observation: Observation): string {
  if (observation.kind === 'life-ended' && observation.end.kind === 'crashed')
    return `life-ended crashed ${String(observation.end.error)}`
  return JSON.stringify(observation)
}
