import { type MessagePort, parentPort } from 'node:worker_threads'
import { assert } from '../../base/assert.js'
import { noteVitals } from '../thread-vitals.js'
import { SystemClock } from '../system-clock.js'
import { AttemptRunner } from './attempt-runner.js'
import { BeatWriter } from './beat.js'
import { contain } from './containment.js'
import { frozen, redactor } from './handler-settings.js'
import { Heart } from './heart.js'
import { resolveOwnPackages } from './module-resolution.js'
import { OnCpu } from './on-cpu.js'
import { PluginLoader } from './plugin-loader.js'
import { RecordCalls } from './record-calls.js'
import { StrayErrors } from './stray-errors.js'
import {
  type FromThread,
  pack,
  type ServicesLogLine,
  type ThreadSetup,
  type ToThread,
  unpackToThread,
} from './thread-messages.js'

/**
 * Entry of the services thread, and of each thread of the pool: loads the plugins, says what they offer, then runs attempts until it
 * is ended. Everything in it is restartable; nothing in it is remembered.
 */
function main(setup: ThreadSetup, port: MessagePort): void {
  const beat = new BeatWriter(setup.beat)
  if (setup.vitals !== undefined) noteVitals(setup.vitals)
  const send = makeSender(port)
  // At once: the last words of a handler that blocks the thread from here on are those that count.
  const log = (line: ServicesLogLine): void => port.postMessage(pack([{ kind: 'log', ...line }]))
  const onCpu = new OnCpu(beat)
  const redact = redactor(setup.settings)
  const stray = (line: ServicesLogLine): void => log({ ...line, message: redact(line.message) })
  contain(onCpu, new StrayErrors({ clock: new SystemClock(), log: stray }))
  resolveOwnPackages()
  const loader = new PluginLoader({
    setup,
    log,
    // At once: a module that blocks leaves no later moment.
    loading: (module) => port.postMessage(pack([{ kind: 'loading', module }])),
  })
  const heart = new Heart(beat, setup.beatMs)
  const records = new RecordCalls((call, body) => send({ kind: 'call', call, body }))
  const runner = new AttemptRunner({
    services: loader.services,
    onCpu,
    heart,
    log,
    noteHeld: (serial, lines) => beat.noteHeld(serial, lines),
    records,
    settings: frozen(setup.settings),
    ended: (attempt, body) => send({ kind: 'ended', attempt, body }),
  })
  port.on('message', (packed: string[]) => {
    // Each in a callback of its own: what one has to say leaves before the next can block the thread.
    for (const message of unpackToThread(packed)) {
      setImmediate(() => {
        heart.beat()
        if (message.kind === 'answer') records.answer(message.call, message.body)
        else receive(runner, message)
      })
    }
  })
  const loaded = heart.begin()
  void loader.loadAll().then(() => {
    loaded()
    const { slots, isolated, offers } = loader
    send({ kind: 'ready', slots, isolated, body: JSON.stringify(offers) })
  })
}

function receive(runner: AttemptRunner, message: Exclude<ToThread, { kind: 'answer' }>): void {
  if (message.kind === 'run') runner.run(message.serial, message.dispatch)
  else runner.abort(message.attempt, message.reason)
}

/**
 * Sends at the end of the current run of microtasks, not of the turn: an attempt that has ended is
 * told of before the next callback can block the thread.
 */
function makeSender(port: MessagePort): (message: FromThread) => void {
  let queue: FromThread[] = []
  return (message) => {
    queue.push(message)
    if (queue.length > 1) return
    queueMicrotask(() => {
      const sent = queue
      queue = []
      port.postMessage(pack(sent))
    })
  }
}

assert(parentPort !== null, 'services-thread.js is the entry of a worker thread')
parentPort.once('message', ({ setup, port }: { setup: ThreadSetup; port: MessagePort }) =>
  main(setup, port),
)
