import type { RequestId } from '../node/messages.js'
import type { Query } from './query.js'

/** A request that waits for something of a job, and what it is answered with then. */
export interface JobWatch {
  readonly request: RequestId
  readonly query: Query
}

/** Who waits for the same thing of which job. Volatile: after a restart nobody waits any more. */
export class JobWatches {
  readonly #watchesOf = new Map<string, Map<RequestId, JobWatch>>()
  readonly #jobOf = new Map<RequestId, string>()

  add(job: string, watch: JobWatch): void {
    const watches = this.#watchesOf.get(job) ?? new Map<RequestId, JobWatch>()
    this.#watchesOf.set(job, watches.set(watch.request, watch))
    this.#jobOf.set(watch.request, job)
  }

  /** Takes a watch back; one that was answered or never made is no mistake. */
  remove(request: RequestId): void {
    const job = this.#jobOf.get(request)
    if (job === undefined) return
    this.#jobOf.delete(request)
    const watches = this.#watchesOf.get(job)
    watches?.delete(request)
    if (watches?.size === 0) this.#watchesOf.delete(job)
  }

  /** Everybody who waits for one of these jobs; they wait no more. */
  takeAll(isMeant: (job: string) => boolean): JobWatch[] {
    return [...this.#watchesOf.keys()].filter(isMeant).flatMap((job) => this.take(job))
  }

  /** Everybody who waits for this job, in the order in which they came; they wait no more. */
  take(job: string): JobWatch[] {
    const watches = [...(this.#watchesOf.get(job)?.values() ?? [])]
    this.#watchesOf.delete(job)
    for (const { request } of watches) this.#jobOf.delete(request)
    return watches
  }
}
