import {
  close,
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlink,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { assert } from '../base/assert.js'
import { type AppendFile, FileError, type Files } from '../ports/files.js'
import { DirectReader } from './direct-reader.js'
import { freeBytes } from './free-bytes.js'
import { OpenFiles } from './open-files.js'

/** Zeroes are written in pieces of this size, bytes: large enough to be fast, small beside a batch. */
const PREALLOCATION_PIECE_BYTES = 1024 * 1024

const CREATE_OR_OVERWRITE = constants.O_RDWR | constants.O_CREAT

type Done = (error: FileError | null) => void

/** `Files` over the operating system, below one data folder. */
export class RealFiles implements Files {
  readonly #root: string
  readonly #openFiles = new OpenFiles()
  readonly #directReader = new DirectReader()
  #isReadingFromDisk = false

  readonly #reservedBytes: () => number

  /**
   * @param root an existing folder
   * @param reservedBytes that a preallocation leaves free: others on this disk cannot go on without
   */
  constructor(root: string, reservedBytes: () => number = () => 0) {
    this.#root = root
    this.#reservedBytes = reservedBytes
  }

  list(folder: string): string[] {
    return translated(folder, () => {
      const path = this.#path(folder)
      return existsSync(path) ? readdirSync(path).sort() : []
    })
  }

  makeFolder(folder: string): void {
    translated(folder, () => {
      mkdirSync(this.#path(folder), { recursive: true })
      this.#syncFolderOf(folder)
    })
  }

  exists(path: string): boolean {
    return existsSync(this.#path(path))
  }

  sizeOf(path: string): number {
    return translated(path, () => statSync(this.#path(path)).size)
  }

  read(path: string): Uint8Array {
    return translated(path, () => readFileSync(this.#path(path)))
  }

  readAt(path: string, offset: number, bytes: number): Uint8Array {
    return translated(path, () => {
      const file = this.#openFiles.get(this.#path(path))
      const content = Buffer.allocUnsafe(bytes)
      let read = 0
      while (read < bytes) {
        const count = readSync(file, content, read, bytes - read, offset + read)
        if (count === 0) break
        read += count
      }
      return content.subarray(0, read)
    })
  }

  /** In place, without a moment at which the file is empty: a full disk does not stop it. */
  readFromDisk(
    path: string,
    offset: number,
    bytes: number,
    done: (error: FileError | null, content: Uint8Array) => void,
  ): void {
    assert(!this.#isReadingFromDisk, `${path}: one read from the disk at a time`)
    this.#isReadingFromDisk = true
    this.#directReader.read(this.#path(path), { offset, bytes }, (failure, content) => {
      this.#isReadingFromDisk = false
      done(fileError(path, failure), content)
    })
  }

  writeDurably(path: string, content: Uint8Array): void {
    translated(path, () => {
      withFile(this.#path(path), CREATE_OR_OVERWRITE, (file) => {
        let written = 0
        while (written < content.length) {
          written += writeSync(file, content, written, content.length - written, written)
        }
        if (fstatSync(file).size > content.length) ftruncateSync(file, content.length)
        fsyncSync(file)
      })
      this.#syncFolderOf(path)
    })
  }

  /** The folder is opened first: without a free descriptor nothing is renamed. */
  rename(from: string, to: string): void {
    translated(from, () => {
      withFile(dirname(this.#path(to)), 'r', (folder) => {
        this.#openFiles.forget(this.#path(from))
        this.#openFiles.forget(this.#path(to))
        renameSync(this.#path(from), this.#path(to))
        fsyncSync(folder)
      })
      if (dirname(from) !== dirname(to)) this.#syncFolderOf(from)
    })
  }

  /** The folder is opened first: without a free descriptor nothing is removed. */
  remove(path: string): void {
    translated(path, () => {
      withFile(dirname(this.#path(path)), 'r', (folder) => {
        this.#openFiles.forget(this.#path(path))
        unlinkSync(this.#path(path))
        fsyncSync(folder)
      })
    })
  }

  preallocate(path: string, bytes: number, done: Done): void {
    const absolute = this.#path(path)
    open(absolute, 'w', (failure, file) => {
      if (failure !== null) return done(fileError(path, failure))
      // Not by trying: whoever writes meanwhile would find the disk full.
      if (freeBytes(absolute) < bytes + this.#reservedBytes()) {
        const error = new FileError('ENOSPC', `${path}: ${bytes} bytes are not free`)
        return close(file, () => unlink(absolute, () => done(error)))
      }
      writeZeroes(file, bytes, (error) => {
        close(file, () => {
          if (error === null) return syncFolder(dirname(absolute), (e) => done(fileError(path, e)))
          // A half-made file would keep the space that others wait for.
          unlink(absolute, () => done(fileError(path, error)))
        })
      })
    })
  }

  openForAppend(path: string): AppendFile {
    return translated(path, () => new RealAppendFile(path, openSync(this.#path(path), 'r+')))
  }

  #path(path: string): string {
    return join(this.#root, path)
  }

  #syncFolderOf(path: string): void {
    withFile(dirname(this.#path(path)), 'r', (folder) => fsyncSync(folder))
  }
}

class RealAppendFile implements AppendFile {
  readonly #path: string
  readonly #file: number
  #isBusy = false
  #isClosed = false

  constructor(path: string, file: number) {
    this.#path = path
    this.#file = file
  }

  writeAndSync(offset: number, content: Uint8Array, done: Done): void {
    assert(
      !this.#isBusy && !this.#isClosed,
      `${this.#path}: one write at a time, and none if closed`,
    )
    this.#isBusy = true
    writeAll(this.#file, content, { offset, written: 0 }, (writeFailure) => {
      if (writeFailure !== null) return this.#end(writeFailure, done)
      fdatasync(this.#file, (syncFailure) => this.#end(syncFailure, done))
    })
  }

  /** The descriptor of a write on its way stays open until that has ended. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (!this.#isBusy) closeSync(this.#file)
  }

  #end(failure: NodeJS.ErrnoException | null, done: Done): void {
    this.#isBusy = false
    if (this.#isClosed) closeSync(this.#file)
    done(fileError(this.#path, failure))
  }
}

interface Progress {
  readonly offset: number
  readonly written: number
}

function writeAll(
  file: number,
  content: Uint8Array,
  { offset, written }: Progress,
  done: (failure: NodeJS.ErrnoException | null) => void,
): void {
  const left = content.length - written
  if (left === 0) return done(null)
  write(file, content, written, left, offset + written, (failure, count) => {
    if (failure !== null) done(failure)
    else writeAll(file, content, { offset, written: written + count }, done)
  })
}

function writeZeroes(
  file: number,
  bytes: number,
  done: (failure: NodeJS.ErrnoException | null) => void,
): void {
  const zeroes = Buffer.alloc(Math.min(bytes, PREALLOCATION_PIECE_BYTES))
  const step = (offset: number): void => {
    if (offset >= bytes) return fsync(file, (failure) => done(failure))
    const piece = zeroes.subarray(0, Math.min(zeroes.length, bytes - offset))
    writeAll(file, piece, { offset, written: 0 }, (failure) => {
      if (failure === null) step(offset + piece.length)
      else done(failure)
    })
  }
  step(0)
}

function syncFolder(folder: string, done: (failure: NodeJS.ErrnoException | null) => void): void {
  open(folder, 'r', (openFailure, file) => {
    if (openFailure !== null) return done(openFailure)
    fsync(file, (syncFailure) => close(file, () => done(syncFailure)))
  })
}

function withFile<T>(path: string, flags: string | number, use: (file: number) => T): T {
  const file = openSync(path, flags)
  try {
    return use(file)
  } finally {
    closeSync(file)
  }
}

function translated<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (isSystemError(error)) throw fileError(path, error)
    throw error
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function fileError(path: string, failure: NodeJS.ErrnoException): FileError
function fileError(path: string, failure: NodeJS.ErrnoException | null): FileError | null
function fileError(path: string, failure: NodeJS.ErrnoException | null): FileError | null {
  if (failure === null) return null
  return new FileError(failure.code ?? 'EIO', `${path}: ${failure.message}`)
}
