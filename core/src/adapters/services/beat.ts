/**
 * The shared memory by which the services thread shows that its event loop turns, whose code is on
 * its CPU, how much memory it uses and how many lines of each attempt wait in it: all that can still be
 * read when it is blocked, or gone.
 */
const BEAT = 0
const ON_CPU = 1
const MEMORY_KIB = 2
/** From here on pairs of an attempt's serial and the lines of it that wait; the newest owner of a pair has it. */
const HELD = 3
/** More attempts than run in one thread at a time. */
const HELD_PAIRS = 1024
const CELLS = HELD + 2 * HELD_PAIRS

/** Nobody's code, or a plugin's own code outside any attempt. */
export const NOBODY = 0

export function makeBeatMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)
}

/** The thread's side. */
export class BeatWriter {
  readonly #cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory)
  }

  beat(): void {
    Atomics.add(this.#cells, BEAT, 1)
  }

  noteMemory(bytes: number): void {
    this.#cells[MEMORY_KIB] = Math.floor(bytes / 1024)
  }

  /** So many lines of the attempt are lost if the thread is ended now. */
  noteHeld(serial: number, lines: number): void {
    const at = heldAt(serial)
    this.#cells[at] = serial
    this.#cells[at + 1] = lines
  }

  /** Says whose code runs from here on; called before each continuation, so a plain store. */
  enter(serial: number): void {
    this.#cells[ON_CPU] = serial
  }

  get onCpu(): number {
    return this.#cells[ON_CPU] ?? NOBODY
  }
}

/** The supervisor's side. */
export class BeatReader {
  readonly #cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory)
  }

  get count(): number {
    return Atomics.load(this.#cells, BEAT)
  }

  /** What the thread used when it last said so (heap-watch.ts). */
  get memoryBytes(): number {
    return Atomics.load(this.#cells, MEMORY_KIB) * 1024
  }

  get onCpu(): number {
    return Atomics.load(this.#cells, ON_CPU)
  }

  /** Lines of the attempt that wait in its thread. */
  heldOf(serial: number): number {
    const at = heldAt(serial)
    return Atomics.load(this.#cells, at) === serial ? Atomics.load(this.#cells, at + 1) : 0
  }
}

function heldAt(serial: number): number {
  return HELD + 2 * (serial % HELD_PAIRS)
}

export type Silence = 'heard' | 'quiet' | 'suspicious' | 'blocked'

/**
 * Decides from looks at the beat how long the thread has been silent.
 *
 * Silence is the sum of the times between looks, each counted at most twice its intended length: when
 * the whole process was suspended (SIGSTOP, a sleeping laptop), the watcher was as well, and the
 * thread is not to blame for the gap. Proof: beat.test.ts.
 */
export class SilenceWatch {
  #warnMs: number
  readonly #lookMs: number
  #blockedMs = Number.POSITIVE_INFINITY
  #lastCount = -1
  #lastLookAt: number | null = null
  #silentMs = 0
  #warned = false

  constructor(options: { warnMs: number; lookMs: number }) {
    this.#warnMs = options.warnMs
    this.#lookMs = options.lookMs
  }

  get silentMs(): number {
    return this.#silentMs
  }

  /** `suspicious` is answered once per silence. */
  look(at: number, count: number): Silence {
    const since = this.#lastLookAt === null ? 0 : at - this.#lastLookAt
    this.#lastLookAt = at
    if (count !== this.#lastCount) {
      this.#lastCount = count
      this.#silentMs = 0
      this.#warned = false
      return 'heard'
    }
    this.#silentMs += Math.min(since, 2 * this.#lookMs)
    if (this.#silentMs >= this.#blockedMs) return 'blocked'
    if (this.#warned || this.#silentMs < this.#warnMs) return 'quiet'
    this.#warned = true
    return 'suspicious'
  }

  /** Forgets the past: nothing was looked at for a while. From here on these are the limits. */
  reset(blockedMs: number, warnMs = this.#warnMs): void {
    this.#warnMs = warnMs
    this.#blockedMs = blockedMs
    this.#lastCount = -1
    this.#lastLookAt = null
    this.#silentMs = 0
    this.#warned = false
  }
}
