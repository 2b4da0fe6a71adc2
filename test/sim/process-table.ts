import type { Table, TableChange, TableRow } from '@gyre/core/internal/protocol/state/table.js'
import type { SimProcess } from './sim-process.js'

/** The state table as a process sees it: each commit is an effect before which it may end. */
export class ProcessTable implements Table {
  readonly #table: Table
  readonly #process: SimProcess

  constructor(table: Table, process: SimProcess) {
    this.#table = table
    this.#process = process
  }

  get(key: string): string | undefined {
    return this.#table.get(key)
  }

  scan(from: string, to: string, limit: number, reverse: boolean): TableRow[] {
    return this.#table.scan(from, to, limit, reverse)
  }

  commit(changes: readonly TableChange[]): void {
    this.#process.effect()
    this.#table.commit(changes)
  }

  clear(from: string, to: string): void {
    this.#process.effect()
    this.#table.clear(from, to)
  }

  checkpoint(): void {
    this.#process.effect()
    this.#table.checkpoint()
  }
}
