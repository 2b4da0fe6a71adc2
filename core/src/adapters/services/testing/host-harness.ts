import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkerHost } from '../../../ports/worker-host.js'
import type { AttemptOutcome } from '../../../protocol/ledger/command.js'
import type {
  AbortReason,
  Dispatch,
  FromServices,
  OffersBody,
} from '../../../protocol/node/messages.js'
import { SystemClock } from '../../system-clock.js'
import { atEnd, type Owner } from '../../testing/at-end.js'
import { temporaryFolder } from '../../testing/temporary-folder.js'
import type { ServicesHostOptions } from '../services-host.js'
import { ServicesHost } from '../services-host.js'
import { ServicesSupervisor, type SupervisorOptions } from '../supervisor.js'
import type { ServicesLogLine } from '../thread-messages.js'

type HandlerCall = Extract<FromServices, { readonly kind: 'propose' | 'query' }>

/** Bound of every wait: a test that needs longer has failed. */
const WAIT_MS = 60_000

type Offers = Extract<FromServices, { readonly kind: 'offers' }>

/** A host with real threads over plugin files of one temporary folder, and all it said. */
export class HostHarness {
  readonly host: WorkerHost
  readonly log: ServicesLogLine[] = []
  readonly received: FromServices[] = []
  /** Answers what handlers ask of the hash table; here nothing does. */
  onCall: (call: HandlerCall) => void = () => {}
  #changed: (() => void)[] = []

  private constructor(owner: Owner, host: (log: (line: ServicesLogLine) => void) => WorkerHost) {
    this.host = host((line) => {
      this.log.push(line)
      this.#wake()
    })
    this.host.onReceive((messages) => {
      this.received.push(...messages)
      for (const message of messages) {
        if (message.kind === 'propose' || message.kind === 'query') this.onCall(message)
      }
      this.#wake()
    })
    this.host.start()
    atEnd(owner, () => this.stop())
  }

  /** The services thread alone, without a pool. */
  static supervisor(
    owner: Owner,
    files: Readonly<Record<string, string>>,
    options: Partial<SupervisorOptions> = {},
  ): HostHarness {
    const base = supervisorOptions(owner, files)
    return new HostHarness(owner, (log) => new ServicesSupervisor({ ...base, log, ...options }))
  }

  static start(
    owner: Owner,
    files: Readonly<Record<string, string>>,
    options: Partial<ServicesHostOptions> = {},
    more: Partial<SupervisorOptions> = {},
  ): HostHarness {
    const base = supervisorOptions(owner, files)
    return new HostHarness(owner, (log) => {
      const supervisor = { ...base, log, blockedAfterMs: 1_000, ...more }
      const pool = { abortGraceMs: 100, ...options.pool }
      const records = {
        arcCount: 1,
        idOf: (key: string) => Buffer.from(key).toString('hex').padEnd(32, '0'),
      }
      return new ServicesHost({ records, ...options, supervisor, pool })
    })
  }

  run(attempt: string, service: string, input: unknown = null, more: Partial<Dispatch> = {}): void {
    this.host.send({
      kind: 'dispatch',
      arc: 0,
      index: 1,
      attempt,
      service,
      hook: 'run',
      job: 'ab'.repeat(16),
      task: 'cd'.repeat(16),
      step: 'main',
      item: null,
      number: 1,
      fence: 9,
      idempotencyKey: 'key',
      timeoutMs: 60_000,
      next: [],
      body: JSON.stringify({ input }),
      ...more,
    })
  }

  abort(attempt: string, reason: AbortReason): void {
    this.host.send({ kind: 'abort', attempt, reason })
  }

  async offers(number: number): Promise<OffersBody> {
    const seen = (): Offers[] =>
      this.received.filter((message): message is Offers => message.kind === 'offers')
    await this.until(() => seen().length >= number, `offers ${number}`)
    return JSON.parse(seen()[number - 1]?.body ?? '{}')
  }

  async ended(attempt: string): Promise<AttemptOutcome> {
    await this.until(() => this.endsOf(attempt).length > 0, `the end of ${attempt}`)
    return JSON.parse(this.endsOf(attempt)[0] ?? '')
  }

  endsOf(attempt: string): string[] {
    return this.received.flatMap((message) =>
      message.kind === 'ended' && message.attempt === attempt ? [message.body] : [],
    )
  }

  /** What was told of an attempt's log, with its notes and its report, in order. */
  newsOf(attempt: string): { readonly logs: string; readonly logsDropped: number }[] {
    return this.received.flatMap((message) => {
      if (message.kind !== 'ended' && message.kind !== 'noted') return []
      const { logs = '[]', logsDropped = 0 } = message
      return message.attempt === attempt ? [{ logs, logsDropped }] : []
    })
  }

  async logged(pattern: RegExp): Promise<ServicesLogLine> {
    const find = (): ServicesLogLine | undefined =>
      this.log.find(({ message }) => pattern.test(message))
    await this.until(() => find() !== undefined, `a log line ${pattern}`)
    return find() as ServicesLogLine
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const late = Date.now() + WAIT_MS
    while (!holds()) {
      assert.ok(Date.now() < late, `waited for ${what}; received ${JSON.stringify(this.received)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, late - Date.now())
        this.#changed.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.host.stop(resolve))
  }

  #wake(): void {
    const changed = this.#changed
    this.#changed = []
    for (const wake of changed) wake()
  }
}

function supervisorOptions(
  owner: Owner,
  files: Readonly<Record<string, string>>,
): Omit<SupervisorOptions, 'log'> {
  const folder = temporaryFolder(owner)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return {
    clock: new SystemClock(),
    plugins: { modules: [], folders: [folder] },
    blockedWarnMs: 200,
    blockedAfterMs: 20_000,
    abortGraceMs: 300,
  }
}
