/**
 * The ordered table that the applied state is kept in: what SQLite is to a running node and a sorted
 * map with simulated power cuts to the simulator. Synchronous, one user.
 *
 * Keys are strings of the characters U+0000 … U+00FF and compare by code unit, which is byte order.
 * Values are JSON text. Every row carries a checksum that is verified when it is read.
 */
export interface Table {
  /**
   * @throws AppError `state_damaged` when the row's checksum does not match; with `key` and `found` in its
   *   details when it is certain that the row is the one of that key, and all others are where they belong
   */
  get(key: string): string | undefined
  /** At most `limit` rows with from ≤ key < to, in key order (descending when `reverse`). */
  scan(from: string, to: string, limit: number, reverse: boolean): TableRow[]
  /**
   * One atomic change. It survives the end of the process, but a power cut may undo it, together
   * with all commits after it, until `checkpoint` has returned (design §5: only the log acknowledges).
   */
  commit(changes: readonly TableChange[]): void
  /** Removes every row with from ≤ key < to, also those that cannot be read. As durable as a commit. */
  clear(from: string, to: string): void
  /** Makes all commits so far survive a power cut. */
  checkpoint(): void
}

export interface TableRow {
  readonly key: string
  readonly value: string
}

/** `value` undefined deletes the row. */
export interface TableChange {
  readonly key: string
  readonly value: string | undefined
}
