import { AppError } from '@gyre/core/internal/base/app-error.js'
import { assert } from '@gyre/core/internal/base/assert.js'
import { isLatin1 } from '@gyre/core/internal/base/latin1.js'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import { SortedKeys } from '@gyre/core/internal/base/sorted-keys.js'
import type { Table, TableChange, TableRow } from '@gyre/core/internal/protocol/state/table.js'

/**
 * The state table of a simulated node: a sorted map that outlives the simulated process, as a
 * database file does. A process that ends loses nothing of it; a power cut (`crash`) undoes commits
 * since the last checkpoint, the newest first, each of them whole.
 */
export class SimTable implements Table {
  readonly #values = new Map<string, string>()
  readonly #keys = new SortedKeys()
  readonly #damaged = new Set<string>()
  /** What would undo each commit since the last checkpoint, oldest commit first. */
  #undo: (readonly TableChange[])[] = []
  /** While true, every commit finds the disk full. */
  full = false

  get rowCount(): number {
    return this.#values.size
  }

  /** Commits that a power cut may still undo. */
  get commitsAtRisk(): number {
    return this.#undo.length
  }

  get(key: string): string | undefined {
    this.#verify(key)
    return this.#values.get(key)
  }

  scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    const keys = reverse
      ? this.#keys.rangeReverse(from, to, limit)
      : this.#keys.range(from, to, limit)
    return keys.map((key) => {
      this.#verify(key)
      return { key, value: this.#values.get(key) ?? '' }
    })
  }

  commit(changes: readonly TableChange[]): void {
    for (const { key } of changes) assert(isLatin1(key), `not a table key: ${key}`)
    if (this.full) {
      throw new AppError('state_full', 'the simulated disk is full: nothing was committed')
    }
    const undo = changes.map(({ key }) => ({ key, value: this.#values.get(key) })).reverse()
    this.#apply(changes)
    this.#undo.push(undo)
  }

  clear(from: string, to: string): void {
    const keys = this.#keys.range(from, to, this.#values.size)
    this.commit(keys.map((key) => ({ key, value: undefined })))
  }

  checkpoint(): void {
    this.#undo = []
  }

  /** A power cut: a random number of the newest commits since the last checkpoint never happened. */
  crash(prng: Prng): void {
    for (let lost = prng.below(this.#undo.length + 1); lost > 0; lost -= 1) {
      this.#apply(this.#undo.pop() ?? [])
    }
    this.#undo = []
  }

  /** The row's bytes rot: from now on reading it fails, until it is written again. */
  damage(key: string): void {
    assert(this.#values.has(key), `no row to damage: ${key}`)
    this.#damaged.add(key)
  }

  /** Damages one row drawn among all. @returns its key, undefined when there is no row */
  damageAny(prng: Prng): string | undefined {
    if (this.#values.size === 0) return undefined
    const key = prng.pick(this.#keys.range('', TABLE_END, this.#values.size))
    this.damage(key)
    return key
  }

  /** The file is deleted. */
  wipe(): void {
    this.#values.clear()
    this.#keys.clear()
    this.#damaged.clear()
    this.#undo = []
  }

  #apply(changes: readonly TableChange[]): void {
    for (const { key, value } of changes) {
      this.#damaged.delete(key)
      if (value === undefined) {
        this.#values.delete(key)
        this.#keys.delete(key)
      } else {
        this.#values.set(key, value)
        this.#keys.add(key)
      }
    }
  }

  #verify(key: string): void {
    if (!this.#damaged.has(key)) return
    const found = `row ${JSON.stringify(key)} does not match its checksum`
    throw new AppError('state_damaged', found, { details: { key, found } })
  }
}

/** Above every key. */
const TABLE_END = '\u0100'
