import { closeSync, openSync } from 'node:fs'

/** Files kept open. Fewer: a replay opens and closes for each entry. More: connections have less. */
const OPEN_FILES_MAX = 8

/**
 * Files kept open for reading, those read longest ago closed first.
 *
 * O1: a path is forgotten when its name is given to other bytes, or to none.
 * O2: once anything was read, a read needs no new descriptor: it takes the one of another file.
 */
export class OpenFiles {
  /** Absolute path → descriptor, in the order of the last reads. */
  readonly #open = new Map<string, number>()

  /** @returns a descriptor for this turn only. @throws the system's error */
  get(path: string): number {
    const file = this.#open.get(path) ?? this.#openMore(path)
    this.#open.delete(path)
    this.#open.set(path, file)
    return file
  }

  /** Before a file of this name is replaced or removed. */
  forget(path: string): void {
    const file = this.#open.get(path)
    if (file === undefined) return
    this.#open.delete(path)
    closeSync(file)
  }

  #openMore(path: string): number {
    if (this.#open.size >= OPEN_FILES_MAX) this.#closeOldest()
    for (;;) {
      try {
        return openSync(path, 'r')
      } catch (error) {
        if (!isOutOfDescriptors(error) || this.#open.size === 0) throw error
        this.#closeOldest()
      }
    }
  }

  #closeOldest(): void {
    const [oldest] = this.#open.keys()
    if (oldest !== undefined) this.forget(oldest)
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['EMFILE', 'ENFILE'].includes(String(error.code))
  )
}
