/**
 * The few file operations that the log store needs; real files in production, simulated ones (lost
 * and torn writes, failing syncs, bit flips, a full disk, stalls) in the simulator.
 *
 * All paths are relative to the node's data folder. Synchronous calls are for start-up and the rare
 * change of segment; the hot path is `append`.
 *
 * @throws every synchronous call: FileError with the operating system's code
 */
export interface Files {
  /** Names in a folder, sorted; an absent folder has none. */
  list(folder: string): string[]
  makeFolder(folder: string): void
  exists(path: string): boolean
  sizeOf(path: string): number
  read(path: string): Uint8Array
  /** Reads `bytes` bytes from `offset`; fewer at the end of the file. */
  readAt(path: string, offset: number, bytes: number): Uint8Array
  /**
   * Reads whole blocks in the background, from the disk itself where the system can do that, and not
   * from what it remembers; fewer bytes at the end of the file. `done` comes in a later turn, and may
   * use `content` until it returns. One such read at a time.
   *
   * @param offset,bytes multiples of 4096
   */
  readFromDisk(
    path: string,
    offset: number,
    bytes: number,
    done: (error: FileError | null, content: Uint8Array) => void,
  ): void
  /** Writes a small file whole, and syncs it and its folder before it returns. */
  writeDurably(path: string, content: Uint8Array): void
  /** Renames and syncs the folder. */
  rename(from: string, to: string): void
  /** Removes and syncs the folder. */
  remove(path: string): void
  /**
   * Creates a file of `bytes` zeroes, synced with its folder, in the background.
   * `done(error)` comes in a later turn; ENOSPC is an expected outcome here.
   */
  preallocate(path: string, bytes: number, done: (error: FileError | null) => void): void
  openForAppend(path: string): AppendFile
}

export interface AppendFile {
  /**
   * Writes at `offset` and then makes it durable (fdatasync). `done(null)` in a later turn means it
   * survives a power cut; `done(error)` means nothing is known about the bytes. One call at a time.
   */
  writeAndSync(offset: number, content: Uint8Array, done: (error: FileError | null) => void): void
  close(): void
}

export class FileError extends Error {
  override readonly name = 'FileError'
  /** EIO, ENOSPC, ENOENT … */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Runs file operations; their failure is returned, a bug is thrown on. */
export function fileFailureOf(run: () => void): FileError | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
}
