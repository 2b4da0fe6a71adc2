import { assert } from '@gyre/core/internal/base/assert.js'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import { type AppendFile, FileError, type Files } from '@gyre/core/internal/ports/files.js'
import { SECTOR_BYTES, type SimFile, tear } from './disk-file.js'
import { DiskNames } from './disk-names.js'

/** What is on the platter: path → bytes. */
export type DurableImage = ReadonlyMap<string, Uint8Array>

export interface SimFilesOptions {
  /** Draws the time that operations take. */
  readonly prng: Prng
  /** Runs `run` in a later turn, `delayMs` from now in virtual time. */
  readonly schedule: (delayMs: number, run: () => void) => void
  /** Files that would grow beyond this many bytes in all meet ENOSPC. */
  readonly capacityBytes?: number
  /** How long a sync takes, milliseconds; 1 to 5 by default. */
  readonly syncDelayMs?: { readonly min: number; readonly max: number }
}

/** Thrown out of a file operation at the moment the power goes: the process that called it is gone. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut'
}

type Done = (error: FileError | null) => void

/** A read from the disk itself takes this long. */
const READ_MS = 1

/**
 * A disk that does what disks do: what was not synced may be lost, torn per sector or overwritten with
 * garbage by a power cut; a sync can fail and lose the data; bits rot; space ends; time passes.
 *
 * It decides nothing by itself: faults are commanded from outside, their dice are handed in. One
 * machine's disk: it outlives the processes that use it. `kill` ends a process, `crash` the power.
 *
 * D1: what a successful sync covered survives every crash unaltered, unless a bit flip was commanded.
 * D2: after `kill` or `crash` no callback of an earlier process life runs.
 */
export class SimFiles implements Files {
  readonly #options: SimFilesOptions
  readonly #names = new DiskNames()
  /** Rises with each end of a process; callbacks of earlier lives are dropped. */
  #life = 0
  #effectCount = 0
  #powerEndsAt = Number.POSITIVE_INFINITY
  #powerEndsAtSync = false
  #isOff = false
  #isFull = false
  #isOutOfDescriptors = false
  #failsNextSync = false
  #failsNextWrite = false
  /** Stalls that are not over. */
  #stallCount = 0
  #stalled: (() => void)[] = []
  #isUnreadable: (path: string) => boolean = () => false
  readonly #inFlight = new Set<SimAppendFile>()

  constructor(options: SimFilesOptions) {
    this.#options = options
  }

  // ---- faults --------------------------------------------------------------------------------------

  /** kill -9: what the system was given stays in its memory; a write on its way may be cut short. */
  kill(prng: Prng): void {
    for (const file of this.#inFlight) file.die(prng)
    this.#beginLife()
  }

  /** Power cut and restart: unsynced data is kept, dropped or garbage, sector by sector. */
  crash(prng: Prng): void {
    this.kill(prng)
    const files = this.#names.crash(prng)
    for (const file of files) tear(file, prng)
  }

  /** The power goes at the `count`-th effect from now (1: the next one), inside whatever runs then. */
  cutPowerAtEffect(count: number): void {
    this.#powerEndsAt = this.#effectCount + count
  }

  /** The power goes instead of the next sync: what was written for it is torn. */
  cutPowerAtSync(): void {
    this.#powerEndsAtSync = true
  }

  /** The next sync fails once, and what it should have made durable is lost. */
  failNextSync(): void {
    this.#failsNextSync = true
  }

  /** The next write fails, half done. */
  failNextWrite(): void {
    this.#failsNextWrite = true
  }

  setFull(isFull: boolean): void {
    this.#isFull = isFull
  }

  /** No file can be opened, as when connections hold every descriptor; open ones go on. */
  setOutOfDescriptors(isOut: boolean): void {
    this.#isOutOfDescriptors = isOut
  }

  /** Reads of these files fail, from now on. */
  failReads(isUnreadable: (path: string) => boolean): void {
    this.#isUnreadable = isUnreadable
  }

  /** A bit rots, in memory and on the platter. @param bit 0 … 7 */
  flipBit(path: string, offset: number, bit = 0): void {
    this.#file(path).flipBit(offset, bit)
  }

  /** Nothing completes for a while. */
  stall(ms: number): void {
    const life = this.#life
    this.#stallCount += 1
    this.#options.schedule(ms, () => {
      if (life !== this.#life) return
      this.#stallCount -= 1
      if (this.#stallCount > 0) return
      for (const run of this.#stalled.splice(0)) run()
    })
  }

  // ---- what a checker may see ----------------------------------------------------------------------

  /** Effects so far: elementary steps between which the power can go. */
  get effectCount(): number {
    return this.#effectCount
  }

  get isOff(): boolean {
    return this.#isOff
  }

  /** What a power cut that drops everything unsynced would leave; a copy. */
  durableImage(): DurableImage {
    return this.#names.durableImage()
  }

  /** Paths below a folder that a power cut would leave, sorted. */
  durablePaths(folder: string): string[] {
    return this.#names.durablePaths(folder)
  }

  /** A file's bytes on the platter, not to be changed; `version` rises whenever they do. */
  durable(path: string): { readonly bytes: Uint8Array; readonly version: number } {
    const file = this.#names.durable(path)
    assert(file !== null, `${path} is not durable`)
    return { bytes: file.durable, version: file.durableVersion }
  }

  /** True when these bytes are on the platter at this place and nothing unsynced lies over them. */
  isDurable(path: string, offset: number, content: Uint8Array): boolean {
    return this.#names.durable(path)?.isDurable(offset, content) ?? false
  }

  /** Replaces the whole disk: a restored snapshot, or a clone of another machine's. */
  restore(image: DurableImage): void {
    this.#names.restore(image)
    this.#beginLife()
  }

  // ---- Files ---------------------------------------------------------------------------------------

  list(folder: string): string[] {
    this.#requirePower()
    return this.#names.list(folder)
  }

  makeFolder(_folder: string): void {
    this.#effect()
  }

  exists(path: string): boolean {
    this.#requirePower()
    return this.#names.get(path) !== null
  }

  sizeOf(path: string): number {
    return this.#file(path).size
  }

  read(path: string): Uint8Array {
    return this.#file(path).read(0, Number.POSITIVE_INFINITY)
  }

  readAt(path: string, offset: number, bytes: number): Uint8Array {
    this.#requireReadable(path)
    return this.#file(path).read(offset, bytes)
  }

  /** No effect, since it changes nothing; it takes its time, but none of the disk's dice. */
  readFromDisk(
    path: string,
    offset: number,
    bytes: number,
    done: (error: FileError | null, content: Uint8Array) => void,
  ): void {
    const life = this.#life
    this.#options.schedule(READ_MS, () => {
      if (life !== this.#life || this.#isOff) return
      const failure = failureOf(() => this.#requireReadable(path))
      const content = failure === null ? this.#file(path).read(offset, bytes) : new Uint8Array(0)
      done(failure, content)
    })
  }

  writeDurably(path: string, content: Uint8Array): void {
    this.#requireSpace(path, content.length)
    this.#effect()
    const file = this.#create(path)
    this.#effect()
    this.#write(file, path, 0, content)
    this.#effect()
    file.truncate(content.length)
    this.#effect()
    this.#sync(file, path)
    this.#effect()
    this.#names.sync()
  }

  rename(from: string, to: string): void {
    this.#file(from)
    this.#requireDescriptor(to)
    this.#effect()
    this.#names.rename(from, to)
    this.#effect()
    this.#names.sync()
  }

  remove(path: string): void {
    this.#file(path)
    this.#requireDescriptor(path)
    this.#effect()
    this.#names.remove(path)
    this.#effect()
    this.#names.sync()
  }

  preallocate(path: string, bytes: number, done: Done): void {
    this.#requirePower()
    this.#steps(
      [
        () => {
          this.#requireDescriptor(path)
          this.#requireSpace(path, bytes)
          this.#names.create(path)
        },
        () => this.#write(this.#file(path), path, 0, new Uint8Array(bytes)),
        () => this.#sync(this.#file(path), path),
        () => this.#names.sync(),
      ],
      (error) => {
        const isLeft = error !== null && this.#names.get(path) !== null
        if (isLeft) this.#names.remove(path)
        done(error)
      },
    )
  }

  openForAppend(path: string): AppendFile {
    const file = this.#file(path)
    this.#requireDescriptor(path)
    const opened: SimAppendFile = new SimAppendFile(file, path, (offset, content, done) => {
      const copy = Uint8Array.from(content)
      this.#inFlight.add(opened)
      this.#steps(
        [
          () => {
            assert(isEqual(copy, content), `${path}: the buffer changed while it was written`)
            this.#write(file, path, offset, content)
            opened.hasWritten()
          },
          () => {
            assert(isEqual(copy, content), `${path}: the buffer changed before it was durable`)
            this.#sync(file, path)
          },
        ],
        (error) => {
          this.#inFlight.delete(opened)
          done(error)
        },
      )
    })
    return opened
  }

  // ---- how it works --------------------------------------------------------------------------------

  /** Runs steps one after the other, each an effect in a turn of its own, then `done` in another. */
  #steps(steps: readonly (() => void)[], done: Done): void {
    const [first, ...rest] = steps
    this.#later(() => {
      if (first === undefined) return done(null)
      const failure = failureOf(first)
      if (this.#isOff) return
      if (failure !== null) done(failure)
      else this.#steps(rest, done)
    })
  }

  #later(run: () => void): void {
    const life = this.#life
    const { min, max } = this.#options.syncDelayMs ?? { min: 1, max: 5 }
    const guarded = (): void => {
      if (life !== this.#life || this.#isOff) return
      if (this.#stallCount > 0) this.#stalled.push(guarded)
      else if (this.#consumesPower()) run()
    }
    this.#options.schedule(this.#options.prng.between(min * 100, max * 100) / 300, guarded)
  }

  /** Counts an effect. @returns false when the power goes just before it */
  #consumesPower(): boolean {
    this.#effectCount += 1
    if (this.#effectCount < this.#powerEndsAt) return true
    this.#isOff = true
    return false
  }

  #effect(): void {
    this.#requirePower()
    if (!this.#consumesPower()) throw new PowerCut('the power went')
  }

  #requirePower(): void {
    if (this.#isOff) throw new PowerCut('there is no power')
  }

  #requireSpace(path: string, bytes: number): void {
    const growth = bytes - (this.#names.get(path)?.size ?? 0)
    if (growth <= 0) return
    const capacity = this.#options.capacityBytes ?? Number.POSITIVE_INFINITY
    if (!this.#isFull && this.#names.totalBytes() + growth <= capacity) return
    throw new FileError('ENOSPC', `${path}: no space left on the simulated disk`)
  }

  #requireReadable(path: string): void {
    this.#requireDescriptor(path)
    this.#file(path)
    if (this.#isUnreadable(path)) throw new FileError('EIO', `${path}: a simulated read failed`)
  }

  #requireDescriptor(path: string): void {
    if (this.#isOutOfDescriptors) throw new FileError('EMFILE', `${path}: too many open files`)
  }

  #create(path: string): SimFile {
    return this.#names.get(path) ?? this.#names.create(path)
  }

  #write(file: SimFile, path: string, offset: number, content: Uint8Array): void {
    if (!this.#failsNextWrite || content.length === 0) {
      file.write(offset, content)
      return
    }
    this.#failsNextWrite = false
    file.write(offset, content.subarray(0, content.length / 2))
    throw new FileError('EIO', `${path}: a simulated write failed`)
  }

  #sync(file: SimFile, path: string): void {
    if (this.#powerEndsAtSync) {
      this.#isOff = true
      return
    }
    if (!this.#failsNextSync) {
      file.sync()
      return
    }
    this.#failsNextSync = false
    file.loseUnsynced()
    throw new FileError('EIO', `${path}: a simulated sync failed`)
  }

  #file(path: string): SimFile {
    this.#requirePower()
    const file = this.#names.get(path)
    if (file === null) throw new FileError('ENOENT', `${path}: no such simulated file`)
    return file
  }

  #beginLife(): void {
    this.#life += 1
    this.#inFlight.clear()
    this.#isOff = false
    this.#stallCount = 0
    this.#stalled = []
    this.#powerEndsAt = Number.POSITIVE_INFINITY
    this.#powerEndsAtSync = false
    this.#failsNextSync = false
    this.#failsNextWrite = false
  }
}

class SimAppendFile implements AppendFile {
  readonly #file: SimFile
  readonly #path: string
  readonly #begin: (offset: number, content: Uint8Array, done: Done) => void
  #isClosed = false
  /** A write that the system has not been given yet. */
  #unwritten: { readonly offset: number; readonly content: Uint8Array } | null = null
  #isBusy = false

  constructor(
    file: SimFile,
    path: string,
    begin: (offset: number, content: Uint8Array, done: Done) => void,
  ) {
    this.#file = file
    this.#path = path
    this.#begin = begin
  }

  writeAndSync(offset: number, content: Uint8Array, done: Done): void {
    assert(!this.#isClosed, `${this.#path}: write to a closed file`)
    assert(!this.#isBusy, `${this.#path}: one write at a time`)
    this.#isBusy = true
    this.#unwritten = { offset, content }
    this.#begin(offset, content, (error) => {
      this.#isBusy = false
      done(error)
    })
  }

  close(): void {
    this.#isClosed = true
  }

  hasWritten(): void {
    this.#unwritten = null
  }

  /** The process is killed: of a write on its way the system has got a part. */
  die(prng: Prng): void {
    this.#isClosed = true
    if (this.#unwritten === null) return
    const { offset, content } = this.#unwritten
    // The system copies whole pages; whole sectors are the harder case.
    const sectors = prng.below(Math.ceil(content.length / SECTOR_BYTES) + 1)
    const written = prng.pick([0, sectors * SECTOR_BYTES, content.length])
    this.#file.write(offset, content.subarray(0, written))
  }
}

function failureOf(step: () => void): FileError | null {
  try {
    step()
    return null
  } catch (error) {
    if (error instanceof FileError) return error
    throw error
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
