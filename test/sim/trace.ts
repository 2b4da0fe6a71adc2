import { createHash } from 'node:crypto'

/**
 * What happened, as lines. Two runs of one seed must give the same lines; their hash stands for them.
 * With `print`, each line is shown as it comes.
 */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #print: ((line: string) => void) | null
  #lineCount = 0

  constructor(print: ((line: string) => void) | null) {
    this.#print = print
  }

  get lineCount(): number {
    return this.#lineCount
  }

  line(at: number, text: string): void {
    const line = `${at.toFixed(3).padStart(12)} ${text}`
    this.#hash.update(line)
    this.#lineCount += 1
    this.#print?.(line)
  }

  /** 16 hex digits; ends the trace. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }
}
