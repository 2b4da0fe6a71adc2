import { COMMAND_CHARS_MAX, OPEN_CHARS_MAX, OPEN_COMMANDS_MAX, URGENT_TIMES } from './limits.js'
import { lacking, overloaded, type Refusal, tooLarge } from './refusals.js'

/**
 * Counts the commands that are on their way, and refuses more than memory and disk can take, before
 * anything of them is stored. Completions, timers and clean-up are counted and never refused.
 *
 * 0 ≤ waiting ≤ open
 */
export class Admission {
  #waiting = 0
  #open = 0
  #openChars = 0
  #logShortage: string | null = null
  #stateIsFull = false

  /** Commands that wait for the log. */
  get waiting(): number {
    return this.#waiting
  }

  /** Commands of this life that are not applied yet, waiting or in the log. */
  get open(): number {
    return this.#open
  }

  /** @returns true when a shortage has just begun */
  setLogShortage(shortage: string | null): boolean {
    const begins = shortage !== null && this.#logShortage === null
    this.#logShortage = shortage
    return begins
  }

  get stateIsFull(): boolean {
    return this.#stateIsFull
  }

  setStateFull(full: boolean): void {
    this.#stateIsFull = full
  }

  /**
   * @param sheddable  false for calls that are no new work (cancel, retry, records)
   * @param chars      of the command: one entry must fit into one batch of the log
   */
  refusal(sheddable: boolean, chars: number): Refusal | null {
    if (chars > COMMAND_CHARS_MAX) return tooLarge(chars)
    const shortage = this.#stateIsFull ? 'the disk is full' : this.#logShortage
    if (sheddable && shortage !== null) return lacking(shortage)
    const times = sheddable ? 1 : URGENT_TIMES
    const isCrowded =
      this.#open >= OPEN_COMMANDS_MAX * times || this.#openChars >= OPEN_CHARS_MAX * times
    if (!isCrowded) return null
    return overloaded(
      'the node has more work on its way into the ledger than it can take; try again',
    )
  }

  noteTaken(chars: number): void {
    this.#waiting += 1
    this.#open += 1
    this.#openChars += chars
  }

  noteInLog(commands: number): void {
    this.#waiting -= commands
  }

  noteApplied(commands: number, chars: number): void {
    this.#open -= commands
    this.#openChars -= chars
  }
}
