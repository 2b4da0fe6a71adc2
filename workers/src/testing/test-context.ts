import type { Json } from '@gyre/jobs'
import { type LogFields, ServiceError, type ServiceContext, type ServiceLog } from '../sdk/index.js'
import { fakeDht } from './fake-dht.js'

export interface LoggedLine {
  readonly level: keyof ServiceLog
  readonly message: string
  readonly fields?: LogFields
}

export interface ProgressNote {
  readonly done: number
  readonly total?: number
  readonly note?: string
}

/** What a test wants to be other than usual, and where it collects what the handler says. */
export interface TestContextOptions extends Partial<Omit<ServiceContext, 'secrets' | 'config'>> {
  readonly config?: Readonly<Record<string, Json>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly lines?: LoggedLine[]
  readonly progressNotes?: ProgressNote[]
}

/** A context as the node would give it. */
export function testContext(options: TestContextOptions = {}): ServiceContext {
  const { config = {}, secrets = {}, lines = [], progressNotes = [], ...changes } = options
  const signal = options.signal ?? new AbortController().signal
  return {
    job: '0123456789abcdef0123456789abcdef',
    task: 'fedcba9876543210fedcba9876543210',
    step: 'main',
    item: null,
    attempt: 1,
    hook: 'run',
    fence: 1,
    idempotencyKey: 'test',
    log: logInto(lines),
    heartbeat: () => signal.throwIfAborted(),
    progress: (done, total, note) => {
      const more = {
        ...(total === undefined ? {} : { total }),
        ...(note === undefined ? {} : { note }),
      }
      progressNotes.push({ done, ...more })
    },
    dht: fakeDht(),
    config: Object.freeze({ ...config }),
    secrets: {
      has: (name) => Object.hasOwn(secrets, name),
      get: (name) => {
        const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined
        if (secret !== undefined) return secret
        throw new ServiceError('secret_missing', `there is no secret ${name}`, { retryable: false })
      },
    },
    ...changes,
    signal,
  }
}

function logInto(lines: LoggedLine[]): ServiceLog {
  const log = (level: keyof ServiceLog) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, ...(fields === undefined ? {} : { fields }) })
  }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}
