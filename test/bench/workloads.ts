/** Requests in flight: many enough to fill the log's batches, few enough to measure a latency. */
export const IN_FLIGHT = 64
export const BATCH_JOBS = 500
/** Batches in flight: more would only be refused as overload. */
export const BATCHES_IN_FLIGHT = 4
export const PACED_PER_SECOND = 20

export interface Workload {
  readonly name: WorkloadName
  readonly what: string
  /** Operations of one run, where none are asked for. */
  readonly size: number
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'w1',
    what: `one-step no-op jobs of about 200 bytes, one request each, ${IN_FLIGHT} in flight`,
    size: 20_000,
  },
  {
    name: 'w1-batch',
    what: `the same by batches of ${BATCH_JOBS}, ${BATCHES_IN_FLIGHT} in flight`,
    size: 40_000,
  },
  { name: 'w2', what: `${PACED_PER_SECOND} jobs a second on an idle system`, size: 200 },
  {
    name: 'w3',
    what: `jobs of three steps, one in ten fails in its last and has two undone, ${IN_FLIGHT} in flight`,
    size: 4000,
  },
  {
    name: 'w5',
    what: 'jobs that wait for a resource that is taken, submitted by batches, then drained',
    size: 100_000,
  },
  {
    name: 'fan-out',
    what: 'one job of one forEach step of that many no-op items (at most 100,000)',
    size: 100_000,
  },
  {
    name: 'cas',
    what: `records written with If-Match, ${IN_FLIGHT} in flight, a key each`,
    size: 20_000,
  },
]

/** Workloads that a submitter does in one go; `w5` is done in two parts, with a look between them. */
export type WholeRun = 'w1' | 'w1-batch' | 'w2' | 'w3' | 'fan-out' | 'cas'

export type WorkloadName = WholeRun | 'w5'

/** What a submitter did and saw. All times in ms. */
export interface Run {
  /** Operations that were done: jobs that ended, items, or writes. */
  readonly operations: number
  readonly seconds: number
  /** Of single requests; of w2, from a submission to its result. */
  readonly latencies: readonly number[]
  /** Of w2: from a submission to the first line of its handler. */
  readonly starts?: readonly number[]
  /** Of w5: operations a second of each part, and the memory of the servers that the waiting took. */
  readonly waiting?: Waiting
}

export interface Waiting {
  readonly enqueuedPerSecond: number
  readonly drainedPerSecond: number
  /** More than the servers took before, MiB. */
  readonly waitingMiB: number
}

/** A system under load, in processes of its own, on a fresh folder that goes with it. */
export interface RunningSystem {
  /** Of its server or servers, whose bytes written count. */
  readonly servers: readonly number[]
  /** Of everything else that works for it: workers, the submitter. */
  readonly others: readonly number[]
  run(workload: WorkloadName, size: number): Promise<Run>
  /** Syncs of its log so far, where it tells them. */
  syncs(): Promise<number | null>
  stop(): Promise<void>
}

export interface System {
  readonly name: string
  readonly workloads: readonly WorkloadName[]
  /** Why it cannot run here; null: it can. */
  missing(): string | null
  start(): Promise<RunningSystem>
}
