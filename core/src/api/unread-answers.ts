import type { Socket } from 'node:net'
import {
  ANSWER_PATIENCE_MS,
  SMALL_ANSWERS_BYTES,
  UNREAD_BYTES_MAX,
  UNREAD_PER_CONNECTION_BYTES_MAX,
} from './limits.js'

/**
 * Bounds the memory of answers that clients have asked for and do not read: until the system has
 * taken all of an answer, the rest of it is kept here. A client that takes nothing at all is cut off.
 */
export class UnreadAnswers {
  readonly #patienceMs: number
  readonly #held = new WeakMap<Socket, Held>()
  #bytes = 0

  constructor(patienceMs: number = ANSWER_PATIENCE_MS) {
    this.#patienceMs = patienceMs
  }

  get bytes(): number {
    return this.#bytes
  }

  /** True while a connection has so much to read that it may ask for nothing more. */
  isFull(socket: Socket): boolean {
    return this.#unreadOf(socket) > UNREAD_PER_CONNECTION_BYTES_MAX
  }

  /** Whether an answer may be kept until it is read. What is small always may, once a connection. */
  hasRoom(socket: Socket, bytes: number): boolean {
    const unread = this.#unreadOf(socket) + bytes
    if (unread <= SMALL_ANSWERS_BYTES) return true
    return unread <= UNREAD_PER_CONNECTION_BYTES_MAX && this.#bytes + bytes <= UNREAD_BYTES_MAX
  }

  /**
   * An answer is about to be sent; it counts until it is read or its connection is gone.
   *
   * @param socket  its connection; an answer behind others has none of its own yet
   * @param isLast  asked when it is over: whether nothing else is under way on this connection
   */
  hold(socket: Socket, answer: Answer, isLast: () => boolean): void {
    const { response, bytes } = answer
    const held = this.#held.get(socket) ?? this.#begin(socket)
    held.bytes += bytes
    held.answers += 1
    this.#bytes += bytes
    // Any byte that is taken begins it anew. Node cuts a connection off whose timeout nobody handles.
    socket.setTimeout(this.#patienceMs)
    response.once('close', () => {
      if (socket.destroyed) return
      held.bytes -= bytes
      held.answers -= 1
      this.#bytes -= bytes
      // What comes next may wait for a job, silently. An idle connection has its own limit by now.
      if (held.answers === 0 && !isLast()) socket.setTimeout(0)
    })
  }

  /** What a connection leaves unread goes with it: answers that waited behind others tell no end. */
  #begin(socket: Socket): Held {
    const held = { bytes: 0, answers: 0 }
    this.#held.set(socket, held)
    socket.once('close', () => {
      this.#bytes -= held.bytes
      held.bytes = 0
    })
    return held
  }

  #unreadOf(socket: Socket): number {
    return this.#held.get(socket)?.bytes ?? 0
  }
}

export interface Answer {
  readonly response: { once(event: 'close', told: () => void): unknown }
  readonly bytes: number
}

interface Held {
  bytes: number
  answers: number
}
