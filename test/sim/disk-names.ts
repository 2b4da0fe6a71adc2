import { assert } from '@gyre/core/internal/base/assert.js'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import { SimFile } from './disk-file.js'

type Change =
  | { readonly kind: 'create'; readonly path: string; readonly file: SimFile }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

type Names = Map<string, SimFile>

/**
 * The names of a simulated disk. Until a folder is synced, a power cut may undo its latest changes,
 * newest first, as a journaling file system does.
 */
export class DiskNames {
  #view: Names = new Map()
  #durable: Names = new Map()
  #unsynced: Change[] = []

  get(path: string): SimFile | null {
    return this.#view.get(path) ?? null
  }

  durable(path: string): SimFile | null {
    return this.#durable.get(path) ?? null
  }

  /** Paths below a folder that a power cut would leave, sorted. */
  durablePaths(folder: string): string[] {
    return [...this.#durable.keys()].filter((path) => path.startsWith(`${folder}/`)).sort()
  }

  list(folder: string): string[] {
    const start = `${folder}/`
    const paths = [...this.#view.keys()].filter((path) => path.startsWith(start))
    return paths.map((path) => path.slice(start.length)).sort()
  }

  totalBytes(): number {
    let bytes = 0
    for (const file of this.#view.values()) bytes += file.size
    return bytes
  }

  create(path: string): SimFile {
    const file = new SimFile()
    this.#change({ kind: 'create', path, file })
    return file
  }

  rename(from: string, to: string): void {
    this.#change({ kind: 'rename', from, to })
  }

  remove(path: string): void {
    this.#change({ kind: 'remove', path })
  }

  sync(): void {
    this.#durable = new Map(this.#view)
    this.#unsynced = []
  }

  /** @returns the files that are left */
  crash(prng: Prng): SimFile[] {
    const kept = prng.below(this.#unsynced.length + 1)
    for (const change of this.#unsynced.slice(0, kept)) carryOut(this.#durable, change)
    this.#view = new Map(this.#durable)
    this.#unsynced = []
    return [...this.#view.values()]
  }

  durableImage(): Map<string, Uint8Array> {
    return new Map([...this.#durable].map(([path, file]) => [path, file.durable.slice()] as const))
  }

  restore(image: ReadonlyMap<string, Uint8Array>): void {
    const files = [...image].map(([path, content]) => [path, SimFile.ofContent(content)] as const)
    this.#durable = new Map(files)
    this.#view = new Map(files)
    this.#unsynced = []
  }

  #change(change: Change): void {
    carryOut(this.#view, change)
    this.#unsynced.push(change)
  }
}

function carryOut(names: Names, change: Change): void {
  switch (change.kind) {
    case 'create':
      names.set(change.path, change.file)
      return
    case 'rename': {
      const file = names.get(change.from)
      assert(file !== undefined, `rename of ${change.from}, which does not exist`)
      names.delete(change.from)
      names.set(change.to, file)
      return
    }
    case 'remove':
      names.delete(change.path)
  }
}
