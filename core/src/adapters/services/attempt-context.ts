import { setMaxListeners } from 'node:events'
import type { LogFields, ServiceContext, ServiceLog } from '@gyre/workers'
import type { AbortReason, Dispatch } from '../../protocol/node/messages.js'
import { LOG_BYTES_PER_ATTEMPT } from './limits.js'
import type { ServicesLogLine } from './thread-messages.js'

/** What a handler gets beside its input. */
export function makeContext(
  dispatch: Dispatch,
  signal: AbortSignal,
  write: (line: ServicesLogLine) => void,
): ServiceContext {
  // A handler may hang as many listeners on its signal as it has things to stop.
  setMaxListeners(0, signal)
  return {
    job: dispatch.job,
    task: dispatch.task,
    step: dispatch.step,
    item: dispatch.item,
    attempt: dispatch.number,
    hook: dispatch.hook,
    fence: dispatch.fence,
    idempotencyKey: dispatch.idempotencyKey,
    signal,
    ...(dispatch.traceparent === undefined ? {} : { traceparent: dispatch.traceparent }),
    log: makeLog(dispatch, write),
  }
}

/** The reason of an aborted signal: named so that libraries recognise it as an abort. */
export class AttemptAborted extends Error {
  override readonly name = 'AbortError'
  readonly code = 'attempt_aborted'
  readonly reason: AbortReason

  constructor(reason: AbortReason) {
    super(`the attempt shall stop: ${reason}`)
    this.reason = reason
  }
}

function makeLog(dispatch: Dispatch, write: (line: ServicesLogLine) => void): ServiceLog {
  const { service, job, step, attempt } = dispatch
  let bytesLeft = LOG_BYTES_PER_ATTEMPT
  const log = (level: ServicesLogLine['level'], message: unknown, fields: unknown): void => {
    if (bytesLeft <= 0) return
    const text = String(message)
    const more = plainFields(fields)
    bytesLeft -= Buffer.byteLength(text) + Buffer.byteLength(JSON.stringify(more))
    const own = { service, job, step, attempt }
    if (bytesLeft > 0) return write({ level, message: text, fields: { ...more, ...own } })
    const full = `the log of this attempt passed ${LOG_BYTES_PER_ATTEMPT} bytes; the rest is dropped`
    write({ level: 'warn', message: full, fields: own })
  }
  return {
    debug: (message: string, fields?: LogFields) => log('debug', message, fields),
    info: (message: string, fields?: LogFields) => log('info', message, fields),
    warn: (message: string, fields?: LogFields) => log('warn', message, fields),
    error: (message: string, fields?: LogFields) => log('error', message, fields),
  }
}

/** What JSON cannot carry is left out; a hostile value leaves out the whole. */
function plainFields(fields: unknown): Record<string, unknown> {
  if (typeof fields !== 'object' || fields === null) return {}
  try {
    const plain: unknown = JSON.parse(JSON.stringify(fields))
    return typeof plain === 'object' && plain !== null ? { ...plain } : {}
  } catch {
    return {}
  }
}
