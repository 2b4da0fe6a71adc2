import { assert } from '../../../base/assert.js'
import type { ArcId } from '../../../base/ids.js'
import { Prng } from '../../../base/prng.js'
import type { LogEntry } from '../../raft/log-record.js'
import { Engine } from '../engine.js'
import type { EngineArcStart } from '../engine-types.js'
import type { Dispatch, ToApi, ToLedger } from '../messages.js'

const SELF = { node: 'me', boot: 4 }
export const ARC_COUNT = 2
export const SERVICES = ['echo', 'sleep'].map((name) => ({ name }))
export const OFFERS = {
  kind: 'offers',
  slots: { echo: 2, sleep: 1 },
  totalSlots: 3,
  body: JSON.stringify({ services: SERVICES, jobs: [], failures: [] }),
} as const
export const JOB = '00000000000000000000000000000001'

/** An engine whose disk and ledger do as the test says. */
export class Bench {
  readonly engine: Engine
  #mono = 0
  readonly written: LogEntry[] = []

  constructor(recovered: ReadonlyMap<ArcId, EngineArcStart> = new Map()) {
    this.engine = new Engine({ self: SELF, arcCount: ARC_COUNT, recovered, prng: new Prng(1) })
  }

  pass(ms: number): void {
    this.#mono += ms
    this.engine.tick({ mono: this.#mono, wall: 1_000_000 + this.#mono })
  }

  /** One batch through the disk. */
  sync(): void {
    const batch = this.engine.takeBatch()
    if (batch === null) return
    for (const record of batch.records) {
      if (record.kind === 'append') this.written.push(...record.entries)
    }
    this.engine.onPersisted(batch.marks)
  }

  /** The ledger applies whatever was delivered. */
  apply(): ToLedger[] {
    const delivered = this.engine.outputs.takeLedger()
    const entries = delivered.filter((message) => message.kind === 'entry')
    for (const { arc, index } of entries) this.engine.onLedger({ kind: 'applied', arc, index })
    return entries
  }

  api(): ToApi[] {
    return this.engine.outputs.takeApi()
  }

  serve(): void {
    this.pass(0)
    this.engine.onLedger({ kind: 'loaded', applied: [] })
    this.engine.onServices(OFFERS)
    for (let round = 0; round < 4; round += 1) {
      this.sync()
      this.apply()
    }
    this.api()
  }

  propose(
    request: number,
    options: { arc?: ArcId; needs?: string[]; sheddable?: boolean } = {},
  ): void {
    const { arc = 0, needs = [], sheddable = true } = options
    const body = `{"kind":"test","n":${request}}`
    this.engine.onApi({ kind: 'propose', request, arc, needs, sheddable, body })
  }

  /** Payloads written since the last call, parsed. */
  takeWritten(): { c: { kind: string; n?: number; logs?: unknown }; g?: unknown; t: number }[] {
    return this.written.splice(0).map((entry) => JSON.parse(entry.payload))
  }
}

export function served(): Bench {
  const bench = new Bench()
  bench.serve()
  bench.takeWritten()
  return bench
}

/** An attempt of JOB, started by this entry of arc 0. */
export function dispatchOf(attempt: string, index: number, next: string[] = []): Dispatch {
  return {
    kind: 'dispatch',
    arc: 0,
    index,
    attempt,
    service: 'echo',
    hook: 'run',
    job: JOB,
    task: JOB,
    step: 'main',
    item: null,
    number: 1,
    fence: 1,
    idempotencyKey: 'k',
    timeoutMs: 1000,
    next,
    body: '{}',
  }
}

/** A bench on which this attempt of JOB runs. */
export function running(attempt: string, next: string[] = []): Bench {
  const bench = served()
  bench.propose(1, { needs: ['echo'] })
  bench.sync()
  const [entry] = bench.engine.outputs.takeLedger()
  assert(entry?.kind === 'entry', 'the submission was delivered')
  bench.engine.onLedger(dispatchOf(attempt, entry.index, next))
  bench.engine.onLedger({ kind: 'applied', arc: 0, index: entry.index })
  bench.takeWritten()
  return bench
}

/** A log that has done nothing and in which nothing has rotted. */
export const NO_LOG_NEWS = {
  waitsForRoom: false,
  syncs: 0,
  bytesWritten: 0,
  rot: [],
  rotGivenUp: 0,
}
