import type { MessagePort } from 'node:worker_threads'
import { AppError } from '../../base/app-error.js'
import { encodeTurn } from '../../protocol/node/turn-codec.js'

/**
 * Sends what ended this thread to the main thread, with its code, which an error loses on its way out
 * of a thread. Posted at once: there is no later turn.
 */
export function sendLastWords(port: MessagePort): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    const code = error instanceof AppError ? error.code : 'internal_error'
    const message = error instanceof AppError ? error.message : (error.stack ?? error.message)
    port.postMessage(encodeTurn([{ kind: 'fatal', code, message }]))
  })
}
