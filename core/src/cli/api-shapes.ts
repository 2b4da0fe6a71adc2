import { FINAL_STATUSES } from '../base/job-statuses.js'

/** What the commands read of the API's answers (api.md); members they do not show are left out. */

export interface JobSummaryBody {
  readonly id: string
  readonly job: string | null
  readonly status: string
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
}

export interface JobBody extends JobSummaryBody {
  readonly cause: string | null
  readonly run: number
  readonly output: unknown
  readonly error: ErrorBody | null
  readonly progress: { readonly done: number; readonly total: number }
  readonly steps: readonly StepBody[]
}

export interface StepBody {
  readonly name: string
  readonly service: string
  readonly status: string
  readonly error: ErrorBody | null
  readonly attemptCount: number
  readonly compensation?: { readonly status: string; readonly error: ErrorBody | null } | null
}

export interface ErrorBody {
  readonly code: string
  readonly message: string
}

export interface ListBody<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
  readonly partial?: boolean
  readonly missing?: number
  /** Of a log: lines that are no longer there. */
  readonly dropped?: number
}

export interface EventBody {
  readonly at: string
  readonly type: string
  readonly [member: string]: unknown
}

/** What the running attempts of a job tell. */
export interface ActivityBody {
  readonly progress: { readonly done: number; readonly total: number }
  readonly steps: readonly {
    readonly name: string
    readonly progress: {
      readonly done: number
      readonly total: number | null
      readonly note?: string
    }
  }[]
}

export interface ExplanationBody {
  readonly summary: string
  readonly reasons: readonly { readonly code: string; readonly text: string }[]
  readonly more: number
}

export interface RecordBody {
  readonly key: string
  readonly id: string
  readonly version: number
  readonly value?: unknown
  readonly updatedAt: string
}

export interface RingBody {
  readonly cluster: string
  readonly level: number
  readonly rf: number
  readonly health: {
    readonly healthy: number
    readonly underReplicated: number
    readonly unavailable: number
  }
  readonly nodes: readonly {
    readonly id: string
    readonly name: string
    readonly address: string | null
    readonly state: string
    readonly reachability: string
    readonly version: string
  }[]
  readonly arcs: readonly unknown[]
}

export interface LogLineBody {
  readonly seq: number
  readonly at: string
  readonly level: string
  readonly message: string
  readonly step: string
  readonly index?: number
  readonly hook?: string
  readonly attempt: number
  readonly fields?: unknown
}

export interface ServiceBody {
  readonly name: string
  readonly versions?: readonly string[]
  readonly version?: string
  readonly nodes?: readonly unknown[]
  readonly running?: number | null
  readonly refused?: {
    readonly count: number
    readonly reasons: readonly { readonly reason: string }[]
  } | null
}

const FINAL: ReadonlySet<string> = new Set(FINAL_STATUSES)

/** True when nothing more happens to the job by itself. */
export function isFinal(job: JobBody): boolean {
  return FINAL.has(job.status)
}
