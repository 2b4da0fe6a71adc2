import { assert } from '../../base/assert.js'
import type { LogIndex } from '../../base/ids.js'
import { type Configuration, NO_CONFIGURATION } from './configuration.js'

/** A configuration and the index of its entry; 0: of the group's beginning. */
export interface PlacedConfiguration {
  readonly index: LogIndex
  readonly config: Configuration
}

/**
 * The configurations that a log holds. The latest counts as soon as it is appended, committed or not
 * (dissertation §4.1); cutting the log brings the one before it back. A follower may hold several
 * that it does not know to be committed, so all of them are kept down to the committed one.
 */
export class Configurations {
  /** By rising index, never empty. */
  #placed: PlacedConfiguration[]

  constructor(placed: readonly PlacedConfiguration[]) {
    this.#placed = placed.length > 0 ? [...placed] : [{ index: 0, config: NO_CONFIGURATION }]
  }

  get latest(): Configuration {
    return this.#newest.config
  }

  /** Index of the latest one's entry. */
  get latestIndex(): LogIndex {
    return this.#newest.index
  }

  get #newest(): PlacedConfiguration {
    const newest = this.#placed[this.#placed.length - 1]
    assert(newest !== undefined, 'a group has a configuration')
    return newest
  }

  /** The latest of those up to `commitIndex`. */
  committed(commitIndex: LogIndex): Configuration {
    return this.at(commitIndex)
  }

  /** The one that counted when the log ended at `index`; for a snapshot taken there. */
  at(index: LogIndex): Configuration {
    const found = this.#placed.findLast((placed) => placed.index <= index)
    return found?.config ?? NO_CONFIGURATION
  }

  append(index: LogIndex, config: Configuration): void {
    assert(index > this.latestIndex || this.latestIndex === 0, 'configurations rise')
    this.#placed.push({ index, config })
  }

  /** Entries from `index` on are gone. @returns true when that took a configuration away */
  truncateFrom(index: LogIndex): boolean {
    const before = this.#placed.length
    this.#placed = this.#placed.filter((placed) => placed.index < index)
    if (this.#placed.length === 0) this.#placed = [{ index: 0, config: NO_CONFIGURATION }]
    return this.#placed.length < before
  }

  /** Forgets what lies before the one that counts at `index`. */
  forgetBefore(index: LogIndex): void {
    const at = this.#placed.findLastIndex((placed) => placed.index <= index)
    if (at > 0) this.#placed = this.#placed.slice(at)
  }

  /** A snapshot took the place of the log. */
  reset(index: LogIndex, config: Configuration): void {
    this.#placed = [{ index, config }]
  }
}
