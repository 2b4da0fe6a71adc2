import type { Prng } from '@gyre/core/internal/base/prng.js'

/** What a disk writes whole or not at all, bytes. */
export const SECTOR_BYTES = 512

interface Write {
  readonly offset: number
  readonly content: Uint8Array
}

/** One simulated file: what readers see, what is on the platter, and the writes between the two. */
export class SimFile {
  #view: Uint8Array<ArrayBufferLike> = new Uint8Array(0)
  #durable: Uint8Array<ArrayBufferLike> = new Uint8Array(0)
  #unsynced: Write[] = []
  #durableVersion = 0

  static ofContent(content: Uint8Array): SimFile {
    const file = new SimFile()
    file.#view = Uint8Array.from(content)
    file.#durable = Uint8Array.from(content)
    return file
  }

  get size(): number {
    return this.#view.length
  }

  get durable(): Uint8Array {
    return this.#durable
  }

  /** Rises whenever the platter's bytes change, so that a reader can tell that it knows them. */
  get durableVersion(): number {
    return this.#durableVersion
  }

  get unsynced(): readonly Write[] {
    return this.#unsynced
  }

  read(offset: number, bytes: number): Uint8Array {
    return this.#view.slice(offset, offset + bytes)
  }

  write(offset: number, content: Uint8Array): void {
    if (content.length === 0) return
    const copy = Uint8Array.from(content)
    this.#view = withBytes(this.#view, offset, copy)
    this.#unsynced.push({ offset, content: copy })
  }

  /** Cuts the end off; durable with the next sync. */
  truncate(bytes: number): void {
    this.#view = this.#view.slice(0, bytes)
  }

  /** Only what counts as unsynced reaches the platter: not what an earlier failed sync lost. */
  sync(): void {
    this.#durableVersion += 1
    if (this.#durable.length > this.#view.length) {
      this.#durable = this.#durable.slice(0, this.#view.length)
    }
    for (const { offset, content } of this.#unsynced) {
      this.#durable = withBytes(this.#durable, offset, content.subarray(0, this.size - offset))
    }
    this.#unsynced = []
  }

  /** What a failed sync does on Linux: the pages count as clean, and are on the platter never. */
  loseUnsynced(): void {
    this.#unsynced = []
  }

  flipBit(offset: number, bit: number): void {
    this.#durableVersion += 1
    for (const bytes of [this.#view, this.#durable]) {
      if (offset < bytes.length) bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit)
    }
  }

  isDurable(offset: number, content: Uint8Array): boolean {
    const end = offset + content.length
    const isInDoubt = this.#unsynced.some(
      (write) => write.offset < end && offset < write.offset + write.content.length,
    )
    return !isInDoubt && Buffer.compare(this.#durable.subarray(offset, end), content) === 0
  }

  /** After a power cut: what survived is all there is. */
  survive(content: Uint8Array): void {
    this.#durableVersion += 1
    this.#durable = content
    this.#view = content.slice()
    this.#unsynced = []
  }
}

/** How a power cut treats the sectors of unsynced writes. */
type Fate = 'kept' | 'dropped' | 'garbage'
type Tearing = (prng: Prng) => Fate

const TEARINGS: readonly Tearing[] = [
  () => 'dropped',
  () => 'kept',
  (prng) => (prng.chance(0.5) ? 'kept' : 'dropped'),
  (prng) => (prng.chance(0.9) ? 'kept' : 'dropped'),
  (prng) => prng.pick(['kept', 'dropped', 'garbage']),
]

/** A power cut: each sector of each unsynced write has its own fate, in any order. */
export function tear(file: SimFile, prng: Prng): void {
  if (file.unsynced.length === 0 && file.size === file.durable.length) {
    file.survive(file.durable.slice())
    return
  }
  const tearing = prng.pick(TEARINGS)
  let content: Uint8Array = file.durable.slice()
  if (prng.chance(0.5) && file.size > content.length) {
    content = withBytes(content, file.size, new Uint8Array(0))
  }
  for (const sector of shuffled(file.unsynced.flatMap(sectorsOf), prng)) {
    const fate = tearing(prng)
    if (fate === 'kept') content = withBytes(content, sector.offset, sector.content)
    if (fate === 'garbage') content = withBytes(content, sector.offset, garbage(sector, prng))
  }
  file.survive(content)
}

function sectorsOf(write: Write): Write[] {
  const sectors: Write[] = []
  let at = 0
  while (at < write.content.length) {
    const offset = write.offset + at
    const length = SECTOR_BYTES - (offset % SECTOR_BYTES)
    sectors.push({ offset, content: write.content.subarray(at, at + length) })
    at += length
  }
  return sectors
}

function garbage(sector: Write, prng: Prng): Uint8Array {
  return sector.content.map(() => prng.below(256))
}

function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const result = [...items]
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = prng.below(index + 1)
    const held = result[index] as T
    result[index] = result[other] as T
    result[other] = held
  }
  return result
}

/** Writes into the bytes, or into a longer copy of them where they end too early. */
function withBytes(bytes: Uint8Array, offset: number, content: Uint8Array): Uint8Array {
  const needed = offset + content.length
  let result = bytes
  if (needed > bytes.length) {
    result = new Uint8Array(needed)
    result.set(bytes)
  }
  result.set(content, offset)
  return result
}
