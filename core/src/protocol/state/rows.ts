/**
 * What apply and queries see of the state: the rows of one arc, newest values first (the write-behind
 * overlay over the table). Keys are relative to the arc. Values are immutable by agreement: to
 * change a row, `put` a new object; nobody writes into one that was put or got.
 */
export interface Rows {
  get<T extends object>(key: string): T | undefined
  put(key: string, value: object): void
  /**
   * Puts a row where none is: whoever calls it knows that `key` has no value now. Most rows of a job
   * come and go between two commits; of one that began so nothing need be looked for in the table.
   */
  insert(key: string, value: object): void
  delete(key: string): void
  /**
   * Keeps the row as its text until it is committed: nobody is likely to look at it before. Objects
   * that live for a second cost more in garbage collection than all else that happens to them.
   */
  settle(key: string): void
  /** The first key with from ≤ key < to; undefined: there is none. No value is looked at. */
  firstKey(from: string, to: string): string | undefined
  /** At most `limit` rows with from ≤ key < to, in key order (descending when `reverse`). */
  scan<T extends object>(from: string, to: string, limit: number, reverse?: boolean): RowEntry<T>[]
}

export interface RowEntry<T> {
  readonly key: string
  readonly value: T
}
