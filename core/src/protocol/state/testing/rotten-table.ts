import { AppError } from '../../../base/app-error.js'
import { MemoryTable } from '../memory-table.js'
import type { TableChange, TableRow } from '../table.js'

/** A table in memory whose rows rot as a test says. */
export class RottenTable extends MemoryTable {
  readonly #rotten = new Set<string>()

  rot(key: string): void {
    this.#rotten.add(key)
  }

  override get(key: string): string | undefined {
    this.#verify(key)
    return super.get(key)
  }

  override scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    const rows = super.scan(from, to, limit, reverse)
    for (const { key } of rows) this.#verify(key)
    return rows
  }

  override commit(changes: readonly TableChange[]): void {
    super.commit(changes)
    for (const { key } of changes) this.#rotten.delete(key)
  }

  #verify(key: string): void {
    if (!this.#rotten.has(key)) return
    const found = `row ${key} has rotted`
    throw new AppError('state_damaged', found, { details: { key, found } })
  }
}
