import type { Json } from '@gyre/jobs'
import type { LogFields, ServiceContext, ServiceLog, ServiceSecrets } from '@gyre/workers'
import type { AbortReason, Dispatch } from '../../protocol/node/messages.js'
import { keptLine } from './kept-line.js'
import type { LazySignal } from './lazy-signal.js'
import { LogWindow } from './log-window.js'
import { ProgressNotes } from './progress-notes.js'
import { type AttemptLife, type RecordCalls, tooLate } from './record-calls.js'
import type { ServicesLogLine } from './thread-messages.js'

/** What all attempts of a thread share. */
export interface SharedContext {
  readonly records: RecordCalls
  readonly config: Readonly<Record<string, Json>>
  readonly secrets: ServiceSecrets
  /** Strikes secrets out of what a handler tells. */
  readonly redact: (text: string) => string
}

export interface ContextOptions extends SharedContext {
  readonly signal: LazySignal
  readonly life: AttemptLife
  readonly write: (line: ServicesLogLine) => void
  /** So many lines wait in this thread. */
  readonly noteHeld: (lines: number) => void
  readonly beat: () => void
}

export interface AttemptContext {
  readonly context: ServiceContext
  /** Says what was held back so far; for the end of the attempt. */
  readonly flush: () => void
}

/** What a handler gets beside its input. */
export function makeContext(dispatch: Dispatch, options: ContextOptions): AttemptContext {
  const { signal, life, beat, records, config, secrets, redact } = options
  const write = (line: ServicesLogLine): void => options.write(redactedLine(line, redact))
  const progress = new ProgressNotes(dispatch, write)
  const lines = new LogWindow(options.write, options.noteHeld)
  const keep = (line: ServicesLogLine): void => addCut(lines, redactedLine(line, redact))
  const context: ServiceContext = Object.assign(new WithSignal(signal), {
    job: dispatch.job,
    task: dispatch.task,
    step: dispatch.step,
    item: dispatch.item,
    attempt: dispatch.number,
    hook: dispatch.hook,
    fence: dispatch.fence,
    idempotencyKey: dispatch.idempotencyKey,
    ...(dispatch.traceparent === undefined ? {} : { traceparent: dispatch.traceparent }),
    log: makeLog(dispatch, keep),
    heartbeat: () => {
      if (life.isOver) throw tooLate()
      beat()
      signal.throwIfAborted()
    },
    progress: (done: number, total?: number, note?: string) => progress.note(done, total, note),
    dht: records.of(signal, life),
    config,
    secrets,
  })
  const flush = (): void => {
    lines.flush()
    progress.flush()
  }
  return { context, flush }
}

/**
 * A context's signal, made when it is read. It is an own member, so that a copy of the context has it
 * too, and its getter is the same for all: with one each, contexts would have no shape in common, and
 * every call of their functions would cost half a microsecond more.
 */
class WithSignal {
  declare readonly signal: AbortSignal
  readonly #lazy: LazySignal

  constructor(lazy: LazySignal) {
    this.#lazy = lazy
    Object.defineProperty(this, 'signal', WithSignal.#MEMBER)
  }

  static readonly #MEMBER = {
    enumerable: true,
    get(this: WithSignal): AbortSignal {
      return this.#lazy.value
    },
  }
}

/** Cut here, so that a line of any length is bounded when it leaves; behind the redaction, which needs whole words. */
function addCut(lines: LogWindow, line: ServicesLogLine): void {
  const { service, job, step, attempt } = line.fields
  const kept = keptLine(line, Date.now())
  const fields = { ...kept.fields, service, job, step, attempt }
  lines.add({ ...line, message: kept.message, fields }, Buffer.byteLength(JSON.stringify(kept)) + 1)
}

function redactedLine(line: ServicesLogLine, redact: (text: string) => string): ServicesLogLine {
  const { message, fields, progress } = line
  const told = { ...line, message: redact(message), fields: redactedIn(fields, redact) }
  return progress === undefined ? told : { ...told, progress: redactedIn(progress, redact) }
}

function redactedIn<T>(value: T, redact: (text: string) => string): T {
  return JSON.parse(redact(JSON.stringify(value)))
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
  const log = (level: ServicesLogLine['level'], message: unknown, fields: unknown): void => {
    const own = { service, job, step, attempt }
    write({ level, message: String(message), fields: { ...plainFields(fields), ...own } })
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
