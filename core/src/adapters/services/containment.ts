import type { OnCpu } from './on-cpu.js'
import type { StrayErrors } from './stray-errors.js'

/**
 * Keeps the mistakes of one handler from the others in its thread, as far as a shared thread can:
 *
 * - an error or rejection that nobody caught is logged with the handler it came from
 *   (stray-errors.ts), and ends nothing, also after `process.removeAllListeners`;
 * - `process.exit` and signals to this process throw into the code that calls them.
 *
 * What it cannot hold, and the supervisor answers for: endless loops, exhausted memory. And what
 * nobody holds: native code that crashes, a child process told to kill the node. Plugins are trusted
 * code that may be wrong, not hostile code.
 */
export function contain(onCpu: OnCpu, strayErrors: StrayErrors): void {
  const stray = (what: string) => (error: unknown) => strayErrors.note(what, error, onCpu.owner)
  listenForGood('uncaughtException', stray('an exception that nobody caught'))
  listenForGood('unhandledRejection', stray('a rejected promise that nobody awaited'))
  refuse('exit', () => true)
  refuse('reallyExit', () => true)
  refuse('kill', ([pid]) => pid === process.pid || pid === 0)
}

/** Without a listener the next stray error would end the thread, with everybody in it. */
function listenForGood(event: string, listener: (error: unknown) => void): void {
  process.on(event, listener)
  const removeAll: unknown = Reflect.get(process, 'removeAllListeners')
  if (typeof removeAll !== 'function') return
  Reflect.set(process, 'removeAllListeners', (...args: unknown[]): unknown => {
    Reflect.apply(removeAll, process, args)
    if (!process.listeners(event as 'exit').includes(listener)) process.on(event, listener)
    return process
  })
}

/** Replaces a function of `process` by one that throws where `isRefused` says so. */
function refuse(
  name: 'exit' | 'reallyExit' | 'kill',
  isRefused: (args: unknown[]) => boolean,
): void {
  const original: unknown = Reflect.get(process, name)
  if (typeof original !== 'function') return
  Reflect.set(process, name, (...args: unknown[]): unknown => {
    if (!isRefused(args)) return Reflect.apply(original, process, args)
    throw new Error(
      `process.${name} would end the node; throw an error to fail the attempt instead`,
    )
  })
}
