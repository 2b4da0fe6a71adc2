import type { ArcId, LogIndex } from '../../base/ids.js'
import type { ToApi, ToLedgerThread, ToServices } from './messages.js'

/** Entries that left memory: the host reads them from the log and sends them at this place. */
export interface ReplayRange {
  readonly kind: 'replay'
  readonly arc: ArcId
  readonly from: LogIndex
  readonly to: LogIndex
}

/**
 * What the engine asks of its host, as data. The host drains the queues once a turn: nothing in them
 * may leave before what it depends on is durable, which holds by construction, since the engine
 * queues it only after `onPersisted`.
 */
export class EngineOutputs {
  #api: ToApi[] = []
  #ledger: (ToLedgerThread | ReplayRange)[] = []
  #services: ToServices[] = []
  #compact: (readonly [ArcId, LogIndex])[] = []
  #keep: ArcId[] = []

  /** An answer to a handler goes to the services. */
  toApi(message: ToApi): void {
    if (message.kind !== 'reply' || message.request >= 0) {
      this.#api.push(message)
      return
    }
    const { reply, body } = message
    const more = body === undefined ? {} : { body }
    this.#services.push({ kind: 'reply', request: -message.request, reply, ...more })
  }

  toLedger(message: ToLedgerThread): void {
    this.#ledger.push(message)
  }

  toServices(message: ToServices): void {
    this.#services.push(message)
  }

  /** @returns how many entries the range has */
  replay(arc: ArcId, from: LogIndex, to: LogIndex): number {
    this.#ledger.push({ kind: 'replay', arc, from, to })
    return to - from + 1
  }

  compact(upTo: readonly (readonly [ArcId, LogIndex])[]): void {
    this.#compact.push(...upTo)
  }

  /** The log has to hold what it still has of the arc, whatever `compact` said before. */
  keep(arc: ArcId): void {
    this.#keep.push(arc)
  }

  takeApi(): ToApi[] {
    const taken = this.#api
    if (taken.length > 0) this.#api = []
    return taken
  }

  takeLedger(): (ToLedgerThread | ReplayRange)[] {
    const taken = this.#ledger
    if (taken.length > 0) this.#ledger = []
    return taken
  }

  takeServices(): ToServices[] {
    const taken = this.#services
    if (taken.length > 0) this.#services = []
    return taken
  }

  takeCompact(): (readonly [ArcId, LogIndex])[] {
    const taken = this.#compact
    if (taken.length > 0) this.#compact = []
    return taken
  }

  /** To be carried out behind `takeCompact`. */
  takeKeep(): ArcId[] {
    const taken = this.#keep
    if (taken.length > 0) this.#keep = []
    return taken
  }
}
