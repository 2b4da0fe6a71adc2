import type { LogIndex, ArcId } from '../base/ids.js'
import type { Clock } from '../ports/clock.js'
import type { Link } from '../ports/link.js'
import type { LogRecord, LogStore } from '../ports/log-store.js'
import { LogScrub } from './log-scrub.js'
import type { ScrubPauses } from './scrub-pace.js'
import type { Engine } from '../protocol/node/engine.js'
import type { ReplayRange } from '../protocol/node/engine-outputs.js'
import type {
  FromApi,
  FromLedgerThread,
  FromServices,
  ToApi,
  ToLedgerThread,
  ToServices,
} from '../protocol/node/messages.js'

export interface EngineRuntimeOptions {
  readonly engine: Engine
  readonly log: LogStore
  readonly clock: Clock
  readonly api: Link<ToApi, FromApi>
  readonly ledger: Link<ToLedgerThread, FromLedgerThread>
  readonly services: Link<ToServices, FromServices>
  /** How slowly the log is verified in the background. */
  readonly logScrub?: ScrubPauses
}

/**
 * Drives the pure engine: whatever arrives in one turn of the loop is stepped, then one drain starts
 * at most one log batch and sends what has become due.
 *
 * A drain's order is the safety argument of protocol.md §4.3 in code: what depends on a batch is
 * queued by the engine only after `onPersisted`, which is called only from the log's durable
 * callback. The same code runs in the simulator.
 *
 * R1  at most one batch is in flight; the next closes when its sync returns (group commit)
 */
export class EngineRuntime {
  readonly #options: EngineRuntimeOptions
  #drainIsDue = false
  #persisting = false
  #cancelAlarm: (() => void) | null = null

  constructor(options: EngineRuntimeOptions) {
    this.#options = options
  }

  /** Begins to listen; the ledger's `loaded` message sets everything off. */
  start(): void {
    const { engine, api, ledger, services } = this.#options
    api.onReceive((messages) => this.#step(() => messages.forEach((m) => engine.onApi(m))))
    ledger.onReceive((messages) => this.#step(() => messages.forEach((m) => engine.onLedger(m))))
    services.onReceive((messages) =>
      this.#step(() => messages.forEach((m) => engine.onServices(m))),
    )
    this.#startLogScrub()
  }

  #startLogScrub(): void {
    const { engine, log, clock, logScrub } = this.#options
    new LogScrub({
      log,
      clock,
      tell: (progress) => this.#step(() => engine.setLogScrub(progress)),
      ...(logScrub === undefined ? {} : { pauses: logScrub }),
    }).start()
  }

  /** One group of inputs: told the time first, drained at the end of the turn. */
  #step(feed: () => void): void {
    const { engine, clock, log } = this.#options
    engine.tick(clock.now())
    engine.setLogProgress(log.stats)
    feed()
    if (this.#drainIsDue) return
    this.#drainIsDue = true
    clock.soon(() => this.#drain())
  }

  #drain(): void {
    const { engine, clock } = this.#options
    this.#drainIsDue = false
    engine.tick(clock.now())
    this.#persist()
    this.#sendAll()
    this.#freeLogSpace()
    this.#setAlarm()
  }

  #persist(): void {
    const { engine } = this.#options
    if (this.#persisting) return
    const batch = engine.hasBatch ? engine.takeBatch() : null
    if (batch !== null) this.#append(batch.records, () => engine.onPersisted(batch.marks))
  }

  #append(records: readonly LogRecord[], done: () => void): void {
    const { engine, log } = this.#options
    this.#persisting = true
    engine.noteLogWrite()
    log.append(records, () => {
      this.#persisting = false
      this.#step(() => {
        engine.noteLogWritten()
        done()
      })
    })
  }

  /**
   * Segments are freed beside a batch, one at a time. On a full disk new work is refused, so that no
   * batch may come by itself, and a damaged segment is not to wait for one: then empty ones are
   * written, as long as that frees something.
   */
  #freeLogSpace(): void {
    const { engine, log } = this.#options
    log.squeeze(engine.stateIsFull)
    const { shortage, isReleasing, rot } = log.stats
    const isUrgent = shortage !== null || engine.stateIsFull || rot.length > 0
    const isNeeded = isReleasing && isUrgent
    if (!this.#persisting && isNeeded) this.#append([], () => undefined)
  }

  #sendAll(): void {
    const { engine, api, ledger, services } = this.#options
    for (const message of engine.outputs.takeLedger()) {
      if (message.kind === 'replay') this.#replay(message)
      else ledger.send(message)
    }
    for (const message of engine.outputs.takeServices()) services.send(message)
    for (const message of engine.outputs.takeApi()) api.send(message)
    for (const [arc, upTo] of engine.outputs.takeCompact()) this.#compact(arc, upTo)
    for (const arc of engine.outputs.takeKeep()) this.#options.log.keep(arc)
  }

  #replay(range: ReplayRange): void {
    const { log, ledger } = this.#options
    for (const { index, term, payload } of log.read(range.arc, range.from, range.to)) {
      const entry = { kind: 'entry', arc: range.arc, term, index, request: 0 } as const
      ledger.send({ ...entry, replayed: true, body: payload })
    }
  }

  #setAlarm(): void {
    const { engine, clock } = this.#options
    this.#cancelAlarm?.()
    const at = engine.alarmAt
    this.#cancelAlarm =
      at === null
        ? null
        : clock.alarm(at - clock.now().mono, () => {
            this.#cancelAlarm = null
            this.#step(() => engine.onAlarm())
          })
  }

  #compact(arc: ArcId, upTo: LogIndex): void {
    if (upTo > 0) this.#options.log.compact(arc, upTo)
  }
}
