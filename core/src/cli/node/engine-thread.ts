import { statSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { openLogStore, type SpareableDamage } from '../../adapters/log-store/open-log-store.js'
import type { SegmentedLog } from '../../adapters/log-store/log-store.js'
import { RealFiles } from '../../adapters/real-files.js'
import { ServicesHost } from '../../adapters/services/services-host.js'
import { beginBoot, createSuperblock, noteCleanShutdown } from '../../adapters/superblock.js'
import { SystemClock } from '../../adapters/system-clock.js'
import { ThreadLink } from '../../adapters/thread-link.js'
import { LEDGER_YOUNG_MB } from '../../adapters/thread-memory.js'
import { noteVitals } from '../../adapters/thread-vitals.js'
import { hashId } from '../../api/hash-id.js'
import { AppError } from '../../base/app-error.js'
import { assert } from '../../base/assert.js'
import { Prng } from '../../base/prng.js'
import type { Link } from '../../ports/link.js'
import type { LogStore } from '../../ports/log-store.js'
import { coverOf } from '../../protocol/node/log-cover.js'
import { Engine } from '../../protocol/node/engine.js'
import type { EngineArcStart } from '../../protocol/node/engine-types.js'
import type {
  FromApi,
  FromLedgerThread,
  ToApi,
  ToLedgerThread,
} from '../../protocol/node/messages.js'
import { hearDurableState } from '../../runtime/durable-state.js'
import { EngineRuntime } from '../../runtime/engine-runtime.js'
import { sendLastWords } from './last-words.js'
import { createThreadLog } from './thread-log.js'
import type { EngineSetup, LedgerSetup } from './thread-setup.js'

/**
 * Entry of the engine thread: opens the log, starts the ledger thread and the services thread, and
 * wires them to the engine. A failure of any of these ends the process: there are no half-alive nodes.
 */
assert(parentPort !== null, 'the engine thread was not started as a thread')
const setup: EngineSetup = workerData
type LedgerLink = Link<ToLedgerThread, FromLedgerThread>

const STATE_IS_FULL = {
  kind: 'lacking',
  message:
    'the state may hold what stood there, but its disk has no room to make that durable: free some ' +
    'space, then start the node again',
} as const
const STATE_HOLDS_IT =
  'The state holds what stood there, durably: this segment and those before it are given up, and ' +
  'nothing is lost. Check the disk, and look after your backups'
const AFTER_DISK = 'check the disk, then start the node again: nothing acknowledged is lost'

sendLastWords(parentPort)
noteVitals(setup.vitals.engine)
const log = createThreadLog('engine', setup.logLevel)
const clock = new SystemClock()
let stateIsServed = false
const files = new RealFiles(setup.dataFolder, () =>
  stateIsServed ? stateWalBytes(setup.dataFolder) : 0,
)
const api: Link<ToApi, FromApi> = new ThreadLink<ToApi, FromApi>(parentPort)

openLogStore(
  {
    files,
    mode: setup.create === null ? 'open' : 'create',
    alarm: (delayMs, ring) => clock.alarm(delayMs, ring),
    warn: (message) => log.warn(message),
    onFailure: ({ code, message }) => {
      throw new AppError(
        'log_failed',
        `the log cannot be written (${code}): ${message}; ${AFTER_DISK}`,
      )
    },
  },
  run,
)

/** What a checkpoint of the state may need: without that room the log could never be cut again. */
function stateWalBytes(dataFolder: string): number {
  const path = join(dataFolder, 'state', 'state.db-wal')
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function run(store: SegmentedLog, damage: SpareableDamage | null): void {
  stateIsServed = true
  if (setup.create !== null) {
    createSuperblock(files, setup.create)
    beginBoot(files)
  }
  if (store.recovered.damaged.length > 0) return decide(store, damage)
  if (store.lastBatch < setup.logEnd) return refuse(endIsLost(store.lastBatch))
  serve(store, startLedger({ mayRebuild: true }))
}

/** The log is damaged: this node goes on only where the state holds all that may be missing. */
function decide({ recovered, lastBatch }: SegmentedLog, damage: SpareableDamage | null): void {
  const message = recovered.damaged[0]?.message ?? ''
  if (damage === null || lastBatch < setup.logEnd) return refuse({ code: 'log_damaged', message })
  hearDurableState(startLedger({ mayRebuild: false }), (state, ledger) => {
    const cover = state === null ? STATE_IS_FULL : coverOf(damage.price, state)
    if (cover.kind === 'lacking') {
      return refuse({ code: 'log_damaged', message: `${message}; ${cover.message}` })
    }
    for (const found of recovered.damaged) {
      log.error({ code: 'log_segment_damaged' }, `${found.message}. ${STATE_HOLDS_IT}`)
    }
    damage.giveUp(cover.keep, (store) => serve(store, ledger))
  })
}

function refuse(why: { readonly code: string; readonly message: string }): void {
  api.send({ kind: 'fatal', ...why })
}

function serve(store: SegmentedLog, ledger: LedgerLink): void {
  if (store.recovered.tornTailCut) {
    log.warn(
      'cut a torn tail off the log: the last batch before a power cut, acknowledged to nobody',
    )
  }
  for (const message of store.recovered.harmlessRot)
    log.warn({ code: 'log_stamp_altered' }, message)
  const { self, arcCount, seed } = setup
  const engine = new Engine({
    self,
    arcCount,
    recovered: startsOf(store),
    prng: new Prng(seed),
  })
  const services = new ServicesHost({
    capacity: setup.capacity,
    labels: setup.labels,
    records: { arcCount: setup.arcCount, idOf: (key) => hashId('record', key) },
    supervisor: {
      clock,
      settings: setup.settings,
      plugins: setup.plugins,
      vitals: setup.vitals.services,
      log: ({ level, message, fields }) => log[level](fields, message),
    },
  })
  new EngineRuntime({ engine, log: store, clock, api: notingEnd(store), ledger, services }).start()
  services.start()
}

function endIsLost(lastBatch: number): { readonly code: string; readonly message: string } {
  const message =
    `the log ends at batch ${lastBatch}, but the node once shut down in good order after batch ` +
    `${setup.logEnd}: acknowledged entries are missing; restore the folder \`log\` from a ` +
    'backup, or start a new node in an empty folder'
  return { code: 'log_lost', message }
}

/** The API's link, on which a stop in good order is noted in the superblock before it is told. */
function notingEnd(store: SegmentedLog): Link<ToApi, FromApi> {
  return {
    send: (message) => {
      if (message.kind === 'stopped') {
        noteCleanShutdown(files, { now: Date.now(), logEnd: store.lastBatch })
      }
      api.send(message)
    },
    onReceive: (receive) => api.onReceive(receive),
  }
}

function startLedger({ mayRebuild }: Pick<LedgerSetup, 'mayRebuild'>): LedgerLink {
  const ledgerSetup: LedgerSetup = {
    mayRebuild,
    dataFolder: setup.dataFolder,
    self: setup.self,
    arcCount: setup.arcCount,
    logLevel: setup.logLevel,
    vitals: setup.vitals.ledger,
  }
  const worker = new Worker(new URL('./ledger-thread.js', import.meta.url), {
    workerData: ledgerSetup,
    resourceLimits: { maxYoungGenerationSizeMb: LEDGER_YOUNG_MB },
  })
  worker.on('error', ({ message }) => {
    throw new AppError('ledger_failed', `the ledger thread has ended: ${message}`)
  })
  return new ThreadLink<ToLedgerThread, FromLedgerThread>(worker)
}

/** Each arc's place in the log, with the arc time of its last entry. */
function startsOf(store: LogStore): Map<number, EngineArcStart> {
  const starts = new Map<number, EngineArcStart>()
  for (const [arc, { firstIndex, lastIndex, ...found }] of store.recovered.arcs) {
    const held = lastIndex >= firstIndex && lastIndex > 0
    const [last] = held ? store.read(arc, lastIndex, lastIndex) : []
    const lastTime = last === undefined ? 0 : timeOf(last.payload)
    starts.set(arc, { ...found, firstIndex, lastIndex, lastTime })
  }
  return starts
}

/** Arc time of an entry; 0 for one that this version cannot read, which the ledger will refuse. */
function timeOf(payload: string): number {
  return Number(/^\{"t":(\d{1,15}),/.exec(payload)?.[1] ?? 0)
}
