import type { Json, JsonObject } from './json.js'

/**
 * A plan is what a submission becomes before it is stored: every default resolved, every duration in
 * milliseconds, every implied `needs` written out, steps in an order in which each stands behind the
 * steps that it needs. The ledger reads plans only, never submissions.
 */
export interface JobPlan {
  /** Name of the job definition it was expanded from; null for `{service}` and `{steps}`. */
  readonly job: string | null
  /** True for `{service}`: one step named `main` whose output is the job's output. */
  readonly single: boolean
  readonly steps: readonly StepPlan[]
  /** Template of the job's output. Absent: a single step's output, else null. */
  readonly output?: Json
}

export interface StepPlan {
  readonly name: string
  readonly service: string
  /** Steps that must be done before this one is ready; written out, without duplicates. */
  readonly needs: readonly string[]
  /** Template; `{"$from": pointer}` is resolved when an attempt starts. */
  readonly input: Json
  /** How long one attempt may take, milliseconds ≥ 1. */
  readonly timeoutMs: number
  readonly retry: RetryPlan
  readonly forEach: ForEachPlan | null
  readonly compensate: CompensatePlan | null
  /** Absent: it runs whatever has run before. */
  readonly memoize?: MemoizePlan
  /** Absent: it runs whatever is so. */
  readonly when?: WhenPlan
  /** Absent: it is skipped when a step that it needs was. */
  readonly onSkippedNeed?: 'run'
  /** Runs only when the job has failed. */
  readonly onFailure?: true
}

/** Results are shared with tasks of the same service, version and input. */
export interface MemoizePlan {
  /** For how long, milliseconds ≥ 1. */
  readonly forMs: number
  /** Of the service, as it was known when the job was submitted: another's results are not shared. */
  readonly version: string
}

/** Looked at once, when the step's needs are met. */
export interface WhenPlan {
  /** Pointer. */
  readonly from: string
  readonly is:
    | { readonly kind: 'equals'; readonly value: Json }
    | { readonly kind: 'exists'; readonly exists: boolean }
}

export interface ForEachPlan {
  /** An array, `{range: N}`, or a template that resolves to one of them. */
  readonly items: Json
  /** How many items may run at a time, ≥ 1. */
  readonly concurrency: number
  readonly onItemError: 'fail' | 'continue'
  readonly collect: 'array' | 'count' | 'none'
}

export interface RetryPlan {
  /** Attempts in all, ≥ 1. */
  readonly attempts: number
  readonly delayMs: number
  /** Growth of the delay per attempt in thousandths (2000 = doubled), so that apply needs no floats. */
  readonly factorMilli: number
  readonly maxDelayMs: number
  /** True: the delay is drawn between half of it and all of it. */
  readonly jitter: boolean
  /** Lost attempts that make it poison, for work of Gyre's own; absent: as for all (ledger/limits.ts). */
  readonly lost?: number
}

export interface CompensatePlan {
  /** Service that undoes the step. */
  readonly service: string
  /** True: the service's own `compensate` function; false: another service's `run`. */
  readonly hook: boolean
  /** Template; absent: the hook gets `{input, output}` of the step. */
  readonly input?: Json
  readonly timeoutMs: number
  readonly retry: RetryPlan
}

/** How an attempt or a job went wrong, as clients see it. */
export interface JobError {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
  readonly details?: JsonObject
}
