import type { RequestId } from '../node/messages.js'

/** Who waits for the end of which job. Volatile: after a restart nobody waits any more. */
export class JobWatches {
  readonly #requestsOf = new Map<string, Set<RequestId>>()
  readonly #jobOf = new Map<RequestId, string>()

  add(job: string, request: RequestId): void {
    const requests = this.#requestsOf.get(job) ?? new Set()
    this.#requestsOf.set(job, requests.add(request))
    this.#jobOf.set(request, job)
  }

  /** Takes a watch back; one that was answered or never made is no mistake. */
  remove(request: RequestId): void {
    const job = this.#jobOf.get(request)
    if (job === undefined) return
    this.#jobOf.delete(request)
    const requests = this.#requestsOf.get(job)
    requests?.delete(request)
    if (requests?.size === 0) this.#requestsOf.delete(job)
  }

  /** Everybody who waits for this job, in the order in which they came; they wait no more. */
  take(job: string): RequestId[] {
    const requests = [...(this.#requestsOf.get(job) ?? [])]
    this.#requestsOf.delete(job)
    for (const request of requests) this.#jobOf.delete(request)
    return requests
  }
}
