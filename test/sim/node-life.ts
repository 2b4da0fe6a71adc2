import type { SegmentedLog } from '@gyre/core/internal/adapters/log-store/log-store.js'
import {
  openLogStore,
  type SpareableDamage,
} from '@gyre/core/internal/adapters/log-store/open-log-store.js'
import { beginBoot, noteCleanShutdown } from '@gyre/core/internal/adapters/superblock.js'
import { AppError } from '@gyre/core/internal/base/app-error.js'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import { FileError, type Files } from '@gyre/core/internal/ports/files.js'
import type { Link } from '@gyre/core/internal/ports/link.js'
import { LedgerNode } from '@gyre/core/internal/protocol/ledger/ledger-node.js'
import { Engine } from '@gyre/core/internal/protocol/node/engine.js'
import type { EngineArcStart } from '@gyre/core/internal/protocol/node/engine-types.js'
import type {
  FromApi,
  FromLedgerThread,
  ToApi,
  ToLedgerThread,
} from '@gyre/core/internal/protocol/node/messages.js'
import { coverOf } from '@gyre/core/internal/protocol/node/log-cover.js'
import { Overlay } from '@gyre/core/internal/protocol/state/overlay.js'
import { hearDurableState } from '@gyre/core/internal/runtime/durable-state.js'
import { EngineRuntime } from '@gyre/core/internal/runtime/engine-runtime.js'
import { DEFAULT_FLUSH_POLICY, LedgerRuntime } from '@gyre/core/internal/runtime/ledger-runtime.js'
import { hash128 } from './client.js'
import type { SimFiles } from './disk.js'
import type { Observation } from './observation.js'
import { ProcessFiles } from './process-files.js'
import { ProcessTable } from './process-table.js'
import { SimApi } from './sim-api.js'
import { connect } from './sim-link.js'
import { type ProcessEnd, SimProcess } from './sim-process.js'
import type { Refusals } from './sim-refusals.js'
import { SimServices } from './sim-services.js'
import type { SimTable } from './sim-table.js'
import { type MachineClock, SimThread } from './sim-thread.js'
import type { SimOptions } from './swarm.js'
import type { VirtualTime } from './virtual-time.js'

export interface LifeOptions {
  readonly time: VirtualTime
  readonly sim: SimOptions
  readonly prng: Prng
  readonly machineClock: MachineClock
  readonly files: SimFiles
  readonly table: SimTable
  /** What this life of the node cannot take. */
  readonly refused: Refusals
  /** False until a log was made in the data folder. */
  readonly hasLog: boolean
  readonly observe: (observation: Observation) => void
  readonly onLogOpened: () => void
  readonly onEnd: (end: ProcessEnd) => void
}

/**
 * One process life of the node: the real log store, engine, ledger and runtime over simulated ports,
 * put together as the command line does it. Its disk outlives it; nothing else does.
 */
export class NodeLife {
  readonly process: SimProcess
  readonly engineThread: SimThread
  readonly ledgerThread: SimThread
  readonly services: SimServices
  readonly api: SimApi
  readonly #options: LifeOptions
  readonly #apiThread: SimThread
  readonly #engineToApi: Link<ToApi, FromApi>
  #overlay: Overlay | null = null

  constructor(options: LifeOptions) {
    this.#options = options
    const { time, machineClock, sim, prng, observe } = options
    this.process = new SimProcess(time, (end) => this.#onEnd(end))
    this.engineThread = new SimThread('engine', this.process, machineClock)
    this.ledgerThread = new SimThread('ledger', this.process, machineClock)
    this.#apiThread = new SimThread('api', this.process, machineClock)
    this.services = new SimServices({
      thread: this.engineThread,
      prng: prng.fork('services'),
      slots: sim.slots,
      totalSlots: sim.totalSlots,
      capacity: sim.capacity,
      refused: options.refused,
      logChars: sim.logChars,
      duplicateReports: sim.duplicateReports,
      arcCount: sim.arcCount,
      observe,
    })
    const link = connect<ToApi, FromApi>({
      a: this.engineThread,
      b: this.#apiThread,
      delay: sim.linkDelay,
      prng: prng.fork('api link'),
    })
    this.#engineToApi = link.atA
    this.api = new SimApi(this.#apiThread, link.atB, {
      onServing: () => observe({ kind: 'serving' }),
      onStopped: () => this.process.end({ kind: 'stopped' }),
      onFatal: (code, message) => this.process.end({ kind: 'gave-up', code, message }),
      onArcDamaged: (message) => observe({ kind: 'arc-damage-told', message }),
      onStall: (code, isOver) => observe({ kind: 'stall-told', code, isOver }),
      onLogRot: (message) => observe({ kind: 'log-rot-told', message }),
      onUnasked: (request) => observe({ kind: 'answered-unasked', request }),
    })
  }

  /** What the ledger thread holds in memory; null before it began. */
  get overlay(): Overlay | null {
    return this.#overlay
  }

  start(): void {
    this.#apiThread.turn(() => this.api.start())
    this.engineThread.turn(() => this.#orGiveUp(() => this.#boot()))
  }

  #boot(): void {
    const { sim, hasLog, observe, onLogOpened } = this.#options
    const files = new ProcessFiles(this.#options.files, this.engineThread)
    const { nodeId, bootEpoch, logEnd } = beginBoot(files)
    observe({ kind: 'life-began', boot: bootEpoch })
    const options = {
      files,
      mode: hasLog ? 'open' : 'create',
      onFailure: (error: FileError) => this.#giveUp(error),
      alarm: (delayMs: number, ring: () => void) => this.engineThread.after(delayMs, ring),
      segmentBytes: sim.segmentBytes,
      retainBytes: sim.retainBytes,
    } as const
    openLogStore(options, (log, damage) => {
      onLogOpened()
      const booted = { files, self: { node: nodeId, boot: bootEpoch } }
      this.#orGiveUp(() => {
        if (log.recovered.damaged.length > 0) return this.#decide(log, damage, booted)
        refuseLostEnd(log, logEnd)
        const link = this.#connectLedger()
        this.#serve(log, link.atA, booted)
        this.#startLedger(link.atB, booted)
      })
    })
  }

  /** The log is damaged: the state must hold all that may be missing. */
  #decide({ recovered }: SegmentedLog, damage: SpareableDamage | null, booted: Booted): void {
    const [{ message } = { message: '' }] = recovered.damaged
    if (damage === null) throw new AppError('log_damaged', message)
    const link = this.#connectLedger()
    this.#startLedger(link.atB, booted)
    hearDurableState(link.atA, (state, ledger) => {
      this.#orGiveUp(() => {
        const cover = state === null ? STATE_IS_FULL : coverOf(damage.price, state)
        if (cover.kind === 'lacking')
          throw new AppError('log_damaged', `${message}; ${cover.message}`)
        this.#options.observe({ kind: 'log-rot-told', message })
        damage.giveUp(cover.keep, (log) => this.#orGiveUp(() => this.#serve(log, ledger, booted)))
      })
    })
  }

  #connectLedger(): { readonly atA: LedgerLink; readonly atB: EngineLink } {
    const { sim, prng, observe } = this.#options
    return connect<ToLedgerThread, FromLedgerThread>({
      a: this.engineThread,
      b: this.ledgerThread,
      delay: sim.linkDelay,
      prng: prng.fork('ledger link'),
      tapAtoB: (message) => {
        if (message.kind === 'entry') observe({ kind: 'entry', entry: message })
      },
    })
  }

  #serve(log: SegmentedLog, ledger: LedgerLink, { files, self }: Booted): void {
    const { sim, prng } = this.#options
    const engine = new Engine({
      self,
      arcCount: sim.arcCount,
      recovered: arcStarts(log),
      prng: prng.fork('engine'),
    })
    const clock = this.engineThread.clock
    const services = this.services
    new EngineRuntime({
      engine,
      log,
      clock,
      api: this.#notingEnd(log, files),
      ledger,
      services,
      logScrub: sim.logScrub,
    }).start()
    services.start()
  }

  #startLedger(link: EngineLink, { self }: Booted): void {
    this.ledgerThread.after(0, () => this.#orGiveUp(() => this.#runLedger(link, self)))
  }

  #runLedger(link: EngineLink, self: Booted['self']): void {
    const { sim, table } = this.#options
    const overlay = new Overlay(new ProcessTable(table, this.process), { freeze: true })
    this.#overlay = overlay
    const machine = new LedgerNode({ overlay, self, arcCount: sim.arcCount, hash: hash128 })
    const clock = this.ledgerThread.clock
    const policy = { ...DEFAULT_FLUSH_POLICY, ...sim.flush }
    new LedgerRuntime({ machine, link, clock, policy }).start()
  }

  /** The API's link, on which a stop in good order is noted in the superblock before it is told. */
  #notingEnd(log: SegmentedLog, files: Files): Link<ToApi, FromApi> {
    const link = this.#engineToApi
    return {
      send: (message) => {
        if (message.kind === 'stopped')
          noteCleanShutdown(files, {
            now: this.engineThread.clock.now().wall,
            logEnd: log.lastBatch,
          })
        link.send(message)
      },
      onReceive: (receive) => link.onReceive(receive),
    }
  }

  #orGiveUp(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof AppError) && !(error instanceof FileError)) throw error
      this.#giveUp(error)
    }
  }

  #giveUp(error: AppError | FileError): void {
    this.process.end({ kind: 'gave-up', code: error.code, message: error.message })
  }

  #onEnd(end: ProcessEnd): void {
    this.services.ceaseAll()
    this.#options.onEnd(end)
  }
}

type LedgerLink = Link<ToLedgerThread, FromLedgerThread>
type EngineLink = Link<FromLedgerThread, ToLedgerThread>

const STATE_IS_FULL = { kind: 'lacking', message: 'the state is full' } as const

interface Booted {
  readonly files: Files
  readonly self: { readonly node: string; readonly boot: number }
}

/** @throws AppError when the log ends before the end of a life that stopped in good order */
function refuseLostEnd({ lastBatch }: SegmentedLog, logEnd: number): void {
  if (lastBatch >= logEnd) return
  throw new AppError('log_lost', `the log ends at batch ${lastBatch}, not at ${logEnd}`)
}

/**
 * What the engine resumes from: the recovered log, and the arc time of each arc's last entry. Where the
 * log holds none any more, the state store knows it.
 */
function arcStarts(log: SegmentedLog): Map<number, EngineArcStart> {
  const starts = new Map<number, EngineArcStart>()
  for (const [arc, found] of log.recovered.arcs) {
    const isHeld = found.firstIndex <= found.lastIndex
    const [last] = isHeld ? log.read(arc, found.lastIndex, found.lastIndex) : []
    const lastTime = last === undefined ? 0 : JSON.parse(last.payload).t
    starts.set(arc, { ...found, lastTime })
  }
  return starts
}
