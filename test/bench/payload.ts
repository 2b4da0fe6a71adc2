import { sharedNow } from './pacing.js'

/** What a job is given, the same for every system: about 200 bytes of JSON. */
export interface Payload {
  readonly id: number
  readonly kind: 'noop'
  readonly tenant: string
  readonly at: number
  /** When it was submitted, ms of the clock that processes share. */
  readonly submittedAt: number
  readonly padding: string
}

const PADDING = 'x'.repeat(110)

export function payload(id: number): Payload {
  const submittedAt = sharedNow()
  return { id, kind: 'noop', tenant: 'acme', at: Date.now(), submittedAt, padding: PADDING }
}

/** Of the saga's jobs every tenth fails in its last step. */
export function failsInSaga(n: number): boolean {
  return n % 10 === 0
}
