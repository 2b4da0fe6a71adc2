import { broken } from '../../base/assert.js'
import type { ArcId } from '../../base/ids.js'
import { parseAttemptId } from '../ledger/attempt-id.js'
import type { EngineOutputs } from './engine-outputs.js'
import type { Grants } from './grants.js'
import { HeldNews } from './held-news.js'
import type { AttemptNews, Dispatch } from './messages.js'
import type { Memos } from './memos.js'
import type { Slots } from './slots.js'
import type { Stopping } from './stopping.js'

export interface RunningOptions {
  readonly outputs: EngineOutputs
  readonly grants: Grants
  readonly slots: Slots
  readonly stopping: Stopping
  readonly memos: Memos
}

/** Attempts that were dispatched to this node's services and have not ended: who holds a slot. */
export class RunningAttempts {
  readonly #options: RunningOptions
  readonly #running = new Map<string, Dispatch>()
  readonly #held = new HeldNews()

  constructor(options: RunningOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#running.size
  }

  /** @returns JSON of the outcome with which it ends at once, since that is known; null: it runs */
  begin(dispatch: Dispatch): string | null {
    const { outputs, grants, stopping, memos } = this.#options
    const { attempt } = dispatch
    const reserved = grants.dispatched(dispatch.arc, dispatch.index, dispatch.service)
    if (!reserved) broken(`G1: ${attempt} was started without a slot`)
    this.#running.set(attempt, dispatch)
    const recalled = memos.recalled(dispatch)
    if (recalled !== null) return recalled
    outputs.toServices(dispatch)
    if (stopping.hasAborted) outputs.toServices({ kind: 'abort', attempt, reason: 'stopping' })
    return null
  }

  /**
   * It tells something before its end.
   *
   * @param hasRoom  whether its arc can take it; false: it is held until then, or until the attempt ends
   * @returns the command that records it; null when it is held, or the attempt has ended
   */
  note(
    attempt: string,
    news: AttemptNews,
    hasRoom: (arc: ArcId) => boolean,
  ): AttemptCommand | null {
    const dispatch = this.#running.get(attempt)
    if (dispatch === undefined) return null
    if (!hasRoom(dispatch.arc)) {
      this.#held.hold(attempt, news)
      return null
    }
    const told = newsText(this.#held.take(attempt, news))
    return { dispatch, command: `{"kind":"note-attempt","attempt":${refText(attempt)}${told}}` }
  }

  /**
   * Its slot is free again.
   *
   * @param body  JSON of its AttemptOutcome
   * @returns the command that records it; null when it had ended before
   */
  end(attempt: string, body: string, news: AttemptNews): AttemptCommand | null {
    const { slots, stopping, memos } = this.#options
    const dispatch = this.#running.get(attempt)
    if (dispatch === undefined) return null
    this.#running.delete(attempt)
    slots.giveBack(dispatch.service, 1)
    const outcome = stopping.outcomeOf(body)
    const told = newsText(this.#held.take(attempt, news))
    const key = memos.keyOf(dispatch)
    const memo = key === null ? '' : `,"memo":"${key}"`
    const report = `"attempt":${refText(attempt)},"outcome":${outcome}${told}${memo}`
    return { dispatch, command: `{"kind":"finish-attempt",${report}}` }
  }

  abortAll(): void {
    for (const attempt of this.#running.keys()) {
      this.#options.outputs.toServices({ kind: 'abort', attempt, reason: 'stopping' })
    }
  }
}

/** A command about an attempt, as JSON. */
export interface AttemptCommand {
  readonly dispatch: Dispatch
  readonly command: string
}

function refText(attempt: string): string {
  return JSON.stringify(parseAttemptId(attempt))
}

function newsText({ logs, logsDropped, progress }: AttemptNews): string {
  const lines = logs === undefined ? '' : `,"logs":${logs}`
  const gap = logsDropped === undefined ? '' : `,"logsDropped":${logsDropped}`
  const told = progress === undefined ? '' : `,"progress":${progress}`
  return `${lines}${gap}${told}`
}
