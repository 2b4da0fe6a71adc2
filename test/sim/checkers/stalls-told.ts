import { type Checker, type Observation, type StallingPart, Violation } from '../observation.js'

/** How long a node may wait for its disk without a word. */
const SILENCE_MS = 10_000
/** What messages on their way, a look every now and then and an ordinary write add to that. */
const SLACK_MS = 2_000
/** Of what has been over for so long nothing is to be seen any more. */
const MEMORY_MS = 60_000

interface Stall {
  readonly part: StallingPart
  readonly from: number
  readonly until: number
}

type Answer = Extract<Observation, { readonly kind: 'answered' }>

/**
 * A node whose disk stands still says so, only then, and only until it is over; what it is asked to
 * store meanwhile is refused at once, and told why.
 */
export class StallsTold implements Checker {
  readonly name = 'stalls-told'
  #stalls: Stall[] = []
  /** What the node has told and not taken back, and since when. */
  readonly #told = new Map<string, number>()
  /** Changes that were asked for and not answered: number of the operation, and when. */
  readonly #open = new Map<number, number>()
  #servesSince: number | null = null

  observe(at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'stalls':
        this.#stalls.push({ part: observation.part, from: at, until: at + observation.ms })
        break
      case 'serving':
        this.#servesSince = at
        break
      case 'life-ended':
        return this.#forget()
      case 'stall-told':
        return this.#onTold(at, observation.code, observation.isOver)
      case 'invoked':
        if (observation.operation.work.kind === 'command')
          this.#open.set(observation.operation.number, at)
        break
      case 'answered':
        return this.#onAnswer(observation)
      case 'rested':
        if (this.#told.size > 0) this.#fail(`${[...this.#told.keys()].join()} is never over`)
        break
      default:
    }
    this.#checkSilence(at)
  }

  #forget(): void {
    this.#servesSince = null
    this.#stalls = []
    this.#told.clear()
    this.#open.clear()
  }

  #onTold(at: number, code: string, isOver: boolean): void {
    if (isOver !== this.#told.has(code))
      this.#fail(`${code} is told twice, or is over and was never told`)
    if (isOver) {
      this.#told.delete(code)
      return
    }
    this.#told.set(code, at)
    const part = code === 'log_stalled' ? 'log' : 'state'
    const isRight = this.#stalls.some(
      (stall) => stall.part === part && stall.from < at && at <= stall.until + SLACK_MS,
    )
    if (!isRight) this.#fail(`${code} is told, and nothing stands still`)
  }

  #checkSilence(at: number): void {
    this.#stalls = this.#stalls.filter(({ until }) => until > at - MEMORY_MS)
    if (this.#servesSince === null || this.#stalls.length === 0) return
    if (this.#stalls.some(({ part }) => part === 'engine')) return
    for (const [number, askedAt] of this.#open) {
      if (askedAt < at - MEMORY_MS) this.#open.delete(number)
      else this.#checkWait(at, number, Math.max(askedAt, this.#servesSince))
    }
  }

  #checkWait(at: number, number: number, since: number): void {
    const toldAt = Math.min(...this.#told.values())
    if (this.#told.size > 0 && since > toldAt + SLACK_MS && at > since + SLACK_MS)
      this.#fail(`operation ${number} waits for a disk that stands still, as was told before`)
    if (this.#told.size > 0 || at <= since + SILENCE_MS + SLACK_MS) return
    const stall = this.#stalls.find(({ from, until }) => from <= since && at <= until)
    if (stall !== undefined)
      this.#fail(`operation ${number} waits, the ${stall.part} stands still, and nothing is told`)
  }

  #onAnswer({ operation, reply }: Answer): void {
    const askedAt = this.#open.get(operation.number)
    this.#open.delete(operation.number)
    if (askedAt === undefined || this.#told.size === 0) return
    if (askedAt <= Math.min(...this.#told.values()) + SLACK_MS) return
    const saysSo = !reply.ok && /the disk does not answer/.test(reply.message)
    const isRefused = !reply.ok && reply.code === 'not_ready'
    if (!saysSo && !isRefused)
      this.#fail(`operation ${operation.number} is not refused while the disk stands still`)
  }

  #fail(what: string): never {
    throw new Violation(this.name, what)
  }
}
