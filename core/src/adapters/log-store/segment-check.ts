import { readHead, readRows } from './batch-reader.js'
import { BLOCK_BYTES, type Head } from './format.js'
import { SCRUB_BLOCKS } from './limits.js'

/** A part of a segment, in blocks. */
export interface Part {
  readonly segment: number
  readonly block: number
  readonly blocks: number
}

/** What a start would refuse the log for. */
export interface Rot {
  readonly block: number
  readonly what: string
}

/**
 * Verifies one closed segment piece by piece, as a start does with the whole log (log-scan.ts): every
 * head, directory and body, and that the batches are a chain, on into the next segment. The first rot
 * ends it.
 *
 * C1: it finds rot where a start would report damage, and nowhere else.
 */
export class SegmentCheck {
  readonly number: number
  readonly #blockCount: number
  /** The newest batch that is whole: here, or at the end of the segment before. */
  #last: Head | null
  #block = 0
  /** Of a batch that does not fit into the usual piece. */
  #blocksWanted = SCRUB_BLOCKS
  /** A batch that is rotten, unless another copy of it follows. */
  #broken: Head | null = null
  #rot: Rot | null = null
  #isOver = false

  /** @param before the last batch of the segment before, null where that is not known */
  constructor(number: number, blockCount: number, before: Head | null) {
    this.number = number
    this.#blockCount = blockCount
    this.#last = before
  }

  /** What to read next; null: nothing is left to look at. */
  get wanted(): Part | null {
    if (this.#isOver) return null
    const left = this.#blockCount - this.#block
    if (left <= 0) return { segment: this.number + 1, block: 0, blocks: 1 }
    const blocks = Math.min(this.#blocksWanted, left)
    return { segment: this.number, block: this.#block, blocks }
  }

  get rot(): Rot | null {
    return this.#rot
  }

  /** The batch that the next segment continues; null where that is not known. */
  get end(): Head | null {
    return this.#rot === null ? this.#last : null
  }

  /** Takes what was wanted; less where the file ends before. */
  take(content: Buffer): void {
    if (this.#block >= this.#blockCount) {
      return this.#checkLink(readHead(content, this.number + 1, 0))
    }
    const first = this.#block
    const end = Math.min(first + this.#blocksWanted, this.#blockCount)
    if (content.length < (end - first) * BLOCK_BYTES)
      return this.#fail(first, 'the file ends early')
    this.#blocksWanted = SCRUB_BLOCKS
    while (this.#block < end && !this.#isOver) {
      const head = readHead(content, this.number, this.#block, first)
      if (head === null || !this.#isAcceptable(head)) this.#block += 1
      else if (this.#reachesBeyond(head, end)) return
      else this.#takeBatch(head, readRows(content, head, first))
    }
  }

  /** True when the batch goes on behind what was read: then it is read again, as a whole. */
  #reachesBeyond(head: Head, end: number): boolean {
    const stop = head.block + head.blockCount
    if (stop <= end || stop > this.#blockCount) return false
    this.#blocksWanted = head.blockCount
    return true
  }

  #takeBatch(head: Head, rows: ReturnType<typeof readRows>): void {
    if (this.#broken !== null && head.batchSeq !== this.#broken.batchSeq) return this.#failBroken()
    if (!this.#continuesChain(head)) {
      return this.#fail(
        head.block,
        `batch ${head.batchSeq} does not continue what stands before it`,
      )
    }
    this.#block = head.block + head.blockCount
    const isIntact = rows?.every((row) => row.intact) === true
    // Of a batch that is there already, another copy may be rotten.
    if (!isIntact && !this.#isRepeat(head)) {
      this.#broken = head
      return
    }
    this.#broken = null
    this.#last = head
  }

  /** The next segment must continue this one; where its own head is rotten, that is its own damage. */
  #checkLink(next: Head | null): void {
    this.#isOver = true
    if (this.#broken !== null && next?.batchSeq !== this.#broken.batchSeq) return this.#failBroken()
    if (this.#last === null) return this.#fail(0, 'it holds no batch')
    if (next === null || this.#broken !== null || this.#continuesChain(next)) return
    const from = this.#last.block + this.#last.blockCount
    const lost = `batches ${this.#last.batchSeq + 1} to ${next.batchSeq - 1} are missing`
    this.#fail(this.#last.segment === this.number ? from : 0, lost)
  }

  #isAcceptable(head: Head): boolean {
    const last = this.#last
    return last === null || head.batchSeq > last.batchSeq || this.#isRepeat(head)
  }

  #isRepeat({ batchSeq, previousCrc }: Head): boolean {
    return batchSeq === this.#last?.batchSeq && previousCrc === this.#last.previousCrc
  }

  #continuesChain(head: Head): boolean {
    const last = this.#last
    if (last === null) return head.opening
    const isNext = head.batchSeq === last.batchSeq + 1 && head.previousCrc === last.headCrc
    return isNext || this.#isRepeat(head)
  }

  #failBroken(): void {
    this.#fail(this.#broken?.block ?? 0, 'a checksum does not hold')
  }

  #fail(block: number, what: string): void {
    this.#isOver = true
    this.#rot ??= { block, what }
  }
}
