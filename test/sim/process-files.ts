import type { AppendFile, FileError, Files } from '@gyre/core/internal/ports/files.js'
import type { SimThread } from './sim-thread.js'

type Done = (error: FileError | null) => void

/**
 * The machine's files as one thread of a process sees them: each change is an effect before which the
 * process may end, and completions arrive as turns of the thread. What the operating system was asked
 * to do goes on when the process is gone.
 */
export class ProcessFiles implements Files {
  readonly #files: Files
  readonly #thread: SimThread

  constructor(files: Files, thread: SimThread) {
    this.#files = files
    this.#thread = thread
  }

  list(folder: string): string[] {
    return this.#files.list(folder)
  }

  makeFolder(folder: string): void {
    this.#thread.process.effect()
    this.#files.makeFolder(folder)
  }

  exists(path: string): boolean {
    return this.#files.exists(path)
  }

  sizeOf(path: string): number {
    return this.#files.sizeOf(path)
  }

  read(path: string): Uint8Array {
    return this.#files.read(path)
  }

  readAt(path: string, offset: number, bytes: number): Uint8Array {
    return this.#files.readAt(path, offset, bytes)
  }

  readFromDisk(
    path: string,
    offset: number,
    bytes: number,
    done: (error: FileError | null, content: Uint8Array) => void,
  ): void {
    this.#files.readFromDisk(path, offset, bytes, (error, content) => {
      this.#thread.after(0, () => done(error, content))
    })
  }

  writeDurably(path: string, content: Uint8Array): void {
    this.#thread.process.effect()
    this.#files.writeDurably(path, content)
  }

  rename(from: string, to: string): void {
    this.#thread.process.effect()
    this.#files.rename(from, to)
  }

  remove(path: string): void {
    this.#thread.process.effect()
    this.#files.remove(path)
  }

  preallocate(path: string, bytes: number, done: Done): void {
    this.#thread.process.effect()
    this.#files.preallocate(path, bytes, this.#inTurn(done))
  }

  openForAppend(path: string): AppendFile {
    const file = this.#files.openForAppend(path)
    return {
      writeAndSync: (offset, content, done) => {
        this.#thread.process.effect()
        file.writeAndSync(offset, content, this.#inTurn(done))
      },
      close: () => file.close(),
    }
  }

  #inTurn(done: Done): Done {
    return (error) => {
      this.#thread.after(0, () => done(error))
    }
  }
}
