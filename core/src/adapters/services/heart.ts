import { getHeapStatistics } from 'node:v8'
import type { BeatWriter } from './beat.js'
import { memoryOf } from './heap-watch.js'

/**
 * Beats while anything is at work in the thread, so that an idle thread sleeps. The one place that
 * decides either: nobody switches the beat on or off, one only begins work and says when it is over.
 */
export class Heart {
  readonly #beat: BeatWriter
  readonly #beatMs: number
  #atWork = 0
  #timer: NodeJS.Timeout | null = null

  constructor(beat: BeatWriter, beatMs: number) {
    this.#beat = beat
    this.#beatMs = beatMs
  }

  /** Work begins. Call what it returns when that work is over; further calls do nothing. */
  begin(): () => void {
    this.#follow(1)
    let isOver = false
    return () => {
      if (!isOver) this.#follow(-1)
      isOver = true
    }
  }

  /** One beat: the event loop has turned. */
  beat(): void {
    this.#beat.beat()
  }

  /** Also ends the beating: work may begin and end a thousand times between two beats. */
  #beatLoudly(): void {
    if (this.#atWork === 0) return this.#sleep()
    this.#beat.noteMemory(memoryOf(getHeapStatistics()))
    this.#beat.beat()
  }

  #follow(change: 1 | -1): void {
    this.#atWork += change
    // Here too: callbacks of one turn may be many, and between them no timer is heard.
    this.#beat.beat()
    if (this.#atWork > 0) this.#timer ??= setInterval(() => this.#beatLoudly(), this.#beatMs)
  }

  #sleep(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
