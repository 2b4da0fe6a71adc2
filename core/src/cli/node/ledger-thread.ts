import { hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock } from '../../adapters/system-clock.js'
import { ThreadLink } from '../../adapters/thread-link.js'
import { noteVitals } from '../../adapters/thread-vitals.js'
import { assert } from '../../base/assert.js'
import { LedgerNode } from '../../protocol/ledger/ledger-node.js'
import type { FromLedgerThread, ToLedgerThread } from '../../protocol/node/messages.js'
import { Overlay } from '../../protocol/state/overlay.js'
import { LedgerRuntime } from '../../runtime/ledger-runtime.js'
import { StateScrub } from '../../runtime/state-scrub.js'
import { AppError } from '../../base/app-error.js'
import { markStateDamaged, openState } from './open-state.js'
import { createThreadLog } from './thread-log.js'
import type { LedgerSetup } from './thread-setup.js'

/** Entry of the ledger thread: the state machines of all arcs, beside their database. */
assert(parentPort !== null, 'the ledger thread was not started as a thread')
const setup: LedgerSetup = workerData
const log = createThreadLog('ledger', setup.logLevel)
noteVitals(setup.vitals)

process.on('uncaughtExceptionMonitor', (error) => {
  if (error instanceof AppError && error.code === 'state_damaged') {
    markStateDamaged(setup.dataFolder, error.message)
  }
})

const table = openState(setup, (message) => log.warn(message))
const overlay = new Overlay(table)
const machine = new LedgerNode({
  overlay,
  self: setup.self,
  arcCount: setup.arcCount,
  hash: (text) => hash('sha256', text).slice(0, 32),
})
const link = new ThreadLink<FromLedgerThread, ToLedgerThread>(parentPort)
const clock = new SystemClock()
const runtime = new LedgerRuntime({ machine, link, clock })
runtime.start()
new StateScrub({
  store: table,
  clock,
  tell: (progress) => link.send({ kind: 'scrubbed', ...progress }),
  damaged: (damage) => runtime.noteDamage(damage),
}).start()
