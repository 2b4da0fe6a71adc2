import { close, constants, open, read } from 'node:fs'

/** Direct reads want addresses at multiples of at most this, bytes … */
const ALIGNMENT_MAX = 4096
/** … and V8 gives buffers at least this one. */
const ALIGNMENT_STEP = 16
/** A larger buffer is not kept for the next read. */
const KEPT_BYTES_MAX = 1024 * 1024

type Done = (failure: NodeJS.ErrnoException | null, content: Buffer) => void

interface Place {
  readonly buffer: Buffer
  /** Where in the buffer the content goes. */
  readonly shift: number
}

interface Part {
  readonly offset: number
  readonly bytes: number
}

const NOTHING = Buffer.alloc(0)

/**
 * Reads files past the system's cache where the system can (O_DIRECT): what stands in the cache was
 * right when it was read or written, and says nothing of the disk. Elsewhere (tmpfs, macOS) reads are
 * ordinary ones, and rot shows only when the system has dropped its copy.
 */
export class DirectReader {
  #isDirect = constants.O_DIRECT !== undefined
  #kept: Place = { buffer: NOTHING, shift: 0 }

  /**
   * Reads in the background; fewer bytes at the end of the file. One read at a time.
   *
   * @param part multiples of 4096
   * @param done the content may be overwritten by the next read
   */
  read(path: string, part: Part, done: Done): void {
    const flags = constants.O_RDONLY | (this.#isDirect ? constants.O_DIRECT : 0)
    open(path, flags, (failure, file) => {
      if (failure !== null && this.#isRefused(failure)) return this.read(path, part, done)
      if (failure !== null) return done(failure, NOTHING)
      this.#readAligned(file, this.#placeFor(part.bytes), part, (error, content) => {
        close(file, () => {
          if (error !== null && this.#isRefused(error)) this.read(path, part, done)
          else done(error, content)
        })
      })
    })
  }

  /** An aligned address is wanted, and a buffer does not tell its own: the one that works is kept. */
  #readAligned(file: number, place: Place, part: Part, done: Done): void {
    const { buffer, shift } = place
    readAll(file, place, part, (failure, content) => {
      const isLast = !this.#isDirect || shift + ALIGNMENT_STEP >= ALIGNMENT_MAX
      if (failure?.code === 'EINVAL' && !isLast) {
        return this.#readAligned(file, { buffer, shift: shift + ALIGNMENT_STEP }, part, done)
      }
      if (failure === null && part.bytes <= KEPT_BYTES_MAX) this.#kept = place
      done(failure, content)
    })
  }

  /** True once, for a file system that knows no direct reads: from now on they are ordinary ones. */
  #isRefused({ code }: NodeJS.ErrnoException): boolean {
    const isRefused = this.#isDirect && code === 'EINVAL'
    if (isRefused) this.#isDirect = false
    return isRefused
  }

  #placeFor(bytes: number): Place {
    if (this.#kept.buffer.length >= bytes + ALIGNMENT_MAX) return this.#kept
    return { buffer: Buffer.allocUnsafeSlow(bytes + ALIGNMENT_MAX), shift: 0 }
  }
}

function readAll(file: number, place: Place, part: Part, done: Done, found = 0): void {
  const { buffer, shift } = place
  const left = part.bytes - found
  if (left === 0) return done(null, buffer.subarray(shift, shift + found))
  read(file, buffer, shift + found, left, part.offset + found, (failure, count) => {
    if (failure !== null) return done(failure, NOTHING)
    if (count === 0) return done(null, buffer.subarray(shift, shift + found))
    readAll(file, place, part, done, found + count)
  })
}
