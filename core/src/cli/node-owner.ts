import { usageError } from './cli-error.js'
import type { Output } from './output.js'
import { outliveReader } from './reader.js'
import { type Ready, printReady } from './ready.js'
import { endBySignal, StopSignals } from './stop-signals.js'

/** Whom a node answers to. Made before the node starts, so that no wish to stop is missed. */
export interface NodeOwner {
  /** Settles with the reason when the node is to stop gracefully. */
  readonly stopAsked: Promise<string>
  ready(ready: Ready): void
  note(text: string): void
}

/** Whoever started the node in the foreground: signals come in, lines go out. */
export function personAsOwner(output: Output): NodeOwner {
  outliveReader()
  const signals = new StopSignals()
  void signals.again.then(endBySignal)
  return {
    stopAsked: signals.first,
    ready: (ready) => printReady(output, ready),
    note: (text) => output.note(text),
  }
}

/**
 * `gyre dev`, over the channel between the two processes. It asks for the end by closing its side,
 * and the system does the same for it when it is killed: no node outlives it. Signals that reach a
 * terminal's whole group come here too, but to insist is dev's matter, and so is what people are told.
 */
export function devAsOwner(): NodeOwner {
  if (process.send === undefined) {
    throw usageError('--under-dev is how `gyre dev` starts its nodes, and for nobody else.')
  }
  outliveReader()
  const left = new Promise<string>((resolve) => {
    if (process.connected) process.once('disconnect', () => resolve('disconnect'))
    else resolve('disconnect')
  })
  return {
    stopAsked: Promise.race([left, new StopSignals().first]),
    // A dev that is gone cannot hear it; `stopAsked` has settled then.
    ready: (ready) => process.send?.(ready, undefined, {}, () => {}),
    note: () => {},
  }
}
