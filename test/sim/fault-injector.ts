import { Prng } from '@gyre/core/internal/base/prng.js'
import { CLOCK_JUMPS_MS, type Fault } from './faults.js'
import type { Harm } from './observation.js'
import type { ProcessEnd } from './sim-process.js'
import type { World } from './world.js'

const KILLED: ProcessEnd = { kind: 'killed' }
const POWER_CUT: ProcessEnd = { kind: 'power-cut' }
/** Between the kill and the power cut of `kill-then-power-cut`. */
const SECOND_BLOW_MS = 30
/** For a place in which something stands. */
const ROT_TRIES = 10
/** About as many as a start has before the first batch of its own is durable. */
const RECOVERY_EFFECTS = 12

/** Carries a fault schedule out on a world, and heals what can be healed. */
export class FaultInjector {
  readonly #world: World
  #prng = new Prng(0)
  #isCalm = false
  #hasRotted = false

  constructor(world: World) {
    this.#world = world
  }

  get hasRotted(): boolean {
    return this.#hasRotted
  }

  /** Flips one bit somewhere in the written part of the log. */
  rot(prng: Prng): void {
    const { files } = this.#world
    const path = prng.pick(files.durablePaths('log'))
    const { bytes } = files.durable(path)
    const written = bytes.findLastIndex((byte) => byte !== 0) + 1
    if (written === 0) return
    this.#hasRotted = true
    this.#harm('log-rotten')
    files.flipBit(path, prng.below(written), prng.below(8))
  }

  /** The same in closed segments of a node that is down, of which the state holds everything. */
  rotCovered(prng: Prng): void {
    for (let rots = prng.between(1, 3); rots > 0; rots -= 1) this.#rotClosed(prng)
    this.#world.observe({ kind: 'rot-is-covered' })
  }

  /** The same in a segment that nothing is written to any more. */
  #rotClosed(prng: Prng): void {
    const { files } = this.#world
    const isUsed = (path: string): boolean => files.durable(path).bytes.some((byte) => byte !== 0)
    const segments = files.durablePaths('log').filter((path) => /-\d{10}$/.test(path))
    const closed = segments.filter(isUsed).slice(0, -1)
    if (closed.length === 0) return
    const path = prng.pick(closed)
    const { bytes } = files.durable(path)
    const written = bytes.findLastIndex((byte) => byte !== 0) + 1
    // Most bytes of small batches are the unused ends of their blocks.
    const offsets = Array.from({ length: ROT_TRIES }, () => prng.below(written))
    const offset = offsets.find((at) => bytes[at] !== 0) ?? 0
    this.#hasRotted = true
    this.#harm('log-rotten')
    files.flipBit(path, offset, prng.below(8))
  }

  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#world.time.at(fault.at, () => {
        if (this.#isCalm || this.#world.isOver) return
        this.#world.noteFault(fault)
        this.#prng = new Prng(fault.seed)
        this.#inject(fault)
      })
    }
  }

  /** From now on nothing breaks any more, and what was broken works again. */
  heal(): void {
    this.#isCalm = true
    this.#world.files.setFull(false)
    this.#world.table.full = false
  }

  /** What a power cut does to the disk. */
  losePower(): void {
    this.#world.files.crash(this.#prng)
    this.#world.table.crash(this.#prng)
  }

  /** What the end of a process does to the disk: writes on their way may be cut short. */
  loseProcess(): void {
    this.#world.files.kill(this.#prng)
  }

  #inject(fault: Fault): void {
    const { files, table, machineClock, life } = this.#world
    switch (fault.kind) {
      case 'kill':
        return this.#world.endLife(KILLED, fault.ms)
      case 'power-cut':
        return this.#world.endLife(POWER_CUT, fault.ms)
      case 'kill-at-effect':
        return this.#endAtEffect(fault, KILLED)
      case 'power-cut-at-effect':
        return this.#endAtEffect(fault, POWER_CUT)
      case 'power-cut-in-disk':
        this.#world.stayDownFor(fault.ms)
        return files.cutPowerAtEffect(fault.count)
      case 'kill-then-power-cut':
        return this.#killThenCutPower(fault)
      case 'power-cut-in-recovery':
        return this.#cutPowerTwice(fault)
      case 'stop':
        return this.#world.servingLife?.api.stop()
      case 'pause-engine':
        this.#world.observe({ kind: 'stalls', part: 'engine', ms: fault.ms })
        return life?.engineThread.pause(fault.ms)
      case 'pause-ledger':
        this.#world.observe({ kind: 'stalls', part: 'state', ms: fault.ms })
        return life?.ledgerThread.pause(fault.ms)
      case 'fail-sync':
        this.#harm('io-failed')
        return files.failNextSync()
      case 'fail-write':
        this.#harm('io-failed')
        return files.failNextWrite()
      case 'disk-full':
        this.#harm('disk-full')
        files.setFull(true)
        return this.#later(fault.ms, () => files.setFull(false))
      case 'disk-stall':
        return this.#stallDisk(fault.ms)
      case 'disk-hang':
        return this.#stallDisk(fault.ms)
      case 'ledger-hang':
        this.#world.observe({ kind: 'stalls', part: 'state', ms: fault.ms })
        return life?.ledgerThread.pause(fault.ms)
      case 'services-restart':
        return this.#inEngine(() => life?.services.restart(fault.ms))
      case 'clock-jump':
        machineClock.wallOffset += this.#prng.pick(CLOCK_JUMPS_MS)
        return
      case 'state-full':
        this.#harm('state-full')
        table.full = true
        return this.#later(fault.ms, () => {
          table.full = false
        })
      case 'wipe-state':
        this.#world.endLife(KILLED, fault.ms)
        this.#harm('state-lost')
        return table.wipe()
      case 'damage-row':
        this.#world.endLife(KILLED, fault.ms)
        this.#harm('state-rotten')
        table.damageAny(this.#prng)
        return
      case 'rot-closed-segment':
        if (this.#world.servingLife !== null) this.#rotClosed(this.#prng)
        return
      case 'rot-cold-segment':
        this.#world.endLife(this.#prng.pick([KILLED, POWER_CUT]), fault.ms)
        return this.#rotClosed(this.#prng)
    }
  }

  #harm(harm: Harm): void {
    this.#world.observe({ kind: 'harmed', harm })
  }

  #stallDisk(ms: number): void {
    this.#world.observe({ kind: 'stalls', part: 'log', ms })
    this.#world.files.stall(ms)
  }

  #endAtEffect(fault: Fault, end: ProcessEnd): void {
    this.#world.stayDownFor(fault.ms)
    this.#world.life?.process.endAtEffect(fault.count, end)
  }

  #killThenCutPower(fault: Fault): void {
    this.#world.endLife(KILLED, 0)
    this.#later(SECOND_BLOW_MS, () => this.#world.endLife(POWER_CUT, fault.ms))
  }

  /** First in the middle of a batch, so that there is something torn to recover from. */
  #cutPowerTwice(fault: Fault): void {
    this.#world.onNextLife((life) => {
      this.#world.stayDownFor(fault.ms)
      life.process.endAtEffect(1 + (fault.seed % RECOVERY_EFFECTS), POWER_CUT)
    })
    this.#world.stayDownFor(1)
    this.#world.files.cutPowerAtSync()
  }

  #inEngine(run: () => void): void {
    this.#world.life?.engineThread.after(0, run)
  }

  #later(delayMs: number, run: () => void): void {
    this.#world.time.after(delayMs, run)
  }
}
