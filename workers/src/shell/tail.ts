/** The last bytes of a stream, and whether there were more. */
export class Tail {
  readonly #max: number
  #chunks: Buffer[] = []
  #bytes = 0
  #isCut = false

  /** @param max  bytes kept */
  constructor(max: number) {
    this.#max = max
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    // Not at each chunk: a flood would be copied over and over.
    if (this.#bytes > 2 * this.#max) this.#cut()
  }

  get text(): string {
    this.#cut()
    const [bytes = Buffer.alloc(0)] = this.#chunks
    return bytes.toString('utf8')
  }

  get isCut(): boolean {
    this.#cut()
    return this.#isCut
  }

  #cut(): void {
    const all = Buffer.concat(this.#chunks)
    this.#isCut ||= all.length > this.#max
    // A copy: a slice would hold on to everything.
    this.#chunks = [Buffer.from(all.subarray(Math.max(0, all.length - this.#max)))]
    this.#bytes = Math.min(all.length, this.#max)
  }
}
