import type { Instant } from '../../base/ids.js'
import type { EngineOutputs } from './engine-outputs.js'
import type { LedgerDebts } from './ledger-debts.js'
import { STALL_GRACE_MS, STALL_MS } from './limits.js'
import type { EngineStatus, FromLedgerThread } from './messages.js'

/** What the engine has asked for and not got. */
export interface Awaited {
  /** A write or sync of the log, or the room for one. */
  readonly logIsBusy: () => boolean
  /** Entries that the ledger thread has, which may be stuck inside the state database. */
  readonly hasUnapplied: () => boolean
  /** What else it was asked. */
  readonly debts: LedgerDebts
}

/**
 * Notices a disk that neither does what it is asked nor says that it cannot: a write, a sync or the
 * ledger thread from which nothing comes back. Then the node says so and takes no new work until it
 * does come back, by which all is well again: nothing was given up meanwhile.
 *
 * Not its job: a disk that fails (the process ends) or is full (admission.ts), and what clients that
 * wait already are told (each has a deadline of its own).
 *
 * W1  quiet since: the last moment at which it owed nothing, or gave a sign
 * W2  what is due is suspected first: this thread itself may have stood still, and then what came
 *     meanwhile waits behind the alarm that woke it
 */
export class StallWatch {
  readonly #outputs: EngineOutputs
  readonly #log: Silence
  readonly #state: Silence
  #now: Instant = 0
  /** Since the ledger thread has last said something. */
  #asksForSign = false
  readonly #debts: LedgerDebts

  constructor(outputs: EngineOutputs, { logIsBusy, hasUnapplied, debts }: Awaited) {
    this.#outputs = outputs
    this.#debts = debts
    this.#log = new Silence(logIsBusy)
    this.#state = new Silence(() => hasUnapplied() || !debts.isSettled)
  }

  /** What stands still, for a sentence; null: nothing. */
  get reason(): string | null {
    if (this.#log.isStall) return LOG_STALLS
    return this.#state.isStall ? STATE_STALLS : null
  }

  get stateIsStalled(): boolean {
    return this.#state.isStall
  }

  get status(): EngineStatus['stalledMs'] {
    return { log: this.#log.stalledMs(this.#now), state: this.#state.stalledMs(this.#now) }
  }

  /** When `tick` must be called at the latest; null: nothing is awaited. */
  get nextAt(): Instant | null {
    const asking = this.#asksForSign ? null : this.#state.halfWayAt
    const ats = [this.#log.nextAt, this.#state.nextAt, asking].filter((at) => at !== null)
    return ats.length === 0 ? null : Math.min(...ats)
  }

  /** Before the inputs of every turn. */
  tick(now: Instant): void {
    this.#now = now
    this.#tellLog(this.#log.tick(now))
    this.#tellState(this.#state.tick(now))
    const halfWayAt = this.#state.halfWayAt
    if (this.#asksForSign || halfWayAt === null || now < halfWayAt) return
    // Not every message has an answer of its own; this one has.
    this.#asksForSign = true
    this.#debts.noteSignAsked()
    this.#outputs.toLedger({ kind: 'sign' })
  }

  /** The log's answer has come. */
  noteLogSign(): void {
    this.#tellLog(this.#log.sign(this.#now))
  }

  /** The ledger thread has said something, whatever it was. */
  noteStateSign(message: FromLedgerThread): void {
    this.#debts.noteAnswer(message)
    this.#asksForSign = false
    this.#tellState(this.#state.sign(this.#now))
  }

  #tellLog(news: News): void {
    this.#tell(news, 'log_stalled', LOG_STALLS)
  }

  #tellState(news: News): void {
    this.#tell(news, 'state_stalled', STATE_STALLS)
  }

  #tell(news: News, code: string, what: string): void {
    if (news === 'begins')
      this.#outputs.toApi({ kind: 'alarm', code, message: `${what}. ${REMEDY}` })
    if (news === 'ends') this.#outputs.toApi({ kind: 'alarm-over', code, message: OVER })
  }
}

const SECONDS = STALL_MS / 1000

const LOG_STALLS =
  `the disk does not answer: a write to the folder \`log\` of the data folder has not come back ` +
  `for ${SECONDS} s`

const STATE_STALLS =
  `the disk does not answer, or the ledger is stuck: nothing has come back from the folder ` +
  `\`state\` of the data folder for ${SECONDS} s`

const REMEDY =
  'New work is refused until it comes back, by which all is well again: nothing is lost. Check the ' +
  'disk, its cable or its network. A node that is killed meanwhile starts again as soon as the disk answers'

const OVER = 'it has come back: the node takes new work again'

type News = 'begins' | 'ends' | 'none'

/** One that may owe an answer and say nothing. */
class Silence {
  readonly #isAwaited: () => boolean
  #quietSince: Instant = 0
  #suspectedAt: Instant | null = null
  #isStall = false

  constructor(isAwaited: () => boolean) {
    this.#isAwaited = isAwaited
  }

  get isStall(): boolean {
    return this.#isStall
  }

  get nextAt(): Instant | null {
    if (this.#isStall || !this.#isAwaited()) return null
    if (this.#suspectedAt !== null) return this.#suspectedAt + STALL_GRACE_MS
    return this.#quietSince + STALL_MS
  }

  /** null: nothing is awaited */
  get halfWayAt(): Instant | null {
    return this.#isAwaited() ? this.#quietSince + STALL_MS / 2 : null
  }

  stalledMs(now: Instant): number {
    return this.#isStall ? now - this.#quietSince : 0
  }

  tick(now: Instant): News {
    if (!this.#isAwaited()) return this.sign(now)
    if (this.#isStall || now < this.#quietSince + STALL_MS) return 'none'
    this.#suspectedAt ??= now
    if (now < this.#suspectedAt + STALL_GRACE_MS) return 'none'
    this.#isStall = true
    return 'begins'
  }

  sign(now: Instant): News {
    const news = this.#isStall ? 'ends' : 'none'
    this.#quietSince = now
    this.#suspectedAt = null
    this.#isStall = false
    return news
  }
}
