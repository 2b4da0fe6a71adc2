import type { Json } from '@gyre/jobs'

/** What clients are told once everything has come to rest: every job and every record. */
export interface FinalState {
  readonly jobs: readonly JobView[]
  readonly records: readonly RecordView[]
}

/** The members of api.md's record JSON. */
export interface RecordView {
  readonly key: string
  readonly version: number
  readonly value: Json
  readonly updatedAt: string
}

/** The members of api.md's job JSON that checkers read. */
export interface JobView {
  readonly id: string
  readonly status: string
  readonly cause: string | null
  readonly run: number
  readonly error: { readonly code: string } | null
  readonly startedAt: string | null
  readonly input: Json
  readonly output: Json
  readonly steps: readonly StepView[]
}

export interface StepView {
  readonly name: string
  readonly service: string
  readonly status: string
  readonly output: Json
  readonly attempts: readonly AttemptView[]
  readonly attemptCount: number
  readonly takenFrom?: string
  readonly compensation?: CompensationView | null
}

export interface CompensationView {
  readonly status: string
  readonly attempts: readonly AttemptView[]
  readonly skipped: Json
}

export interface AttemptView {
  readonly attempt: number
  readonly outcome: string | null
  readonly error: { readonly code: string } | null
}

export const FINAL_STATUSES: ReadonlySet<string> = new Set([
  'succeeded',
  'failed',
  'cancelled',
  'compensated',
  'compensation_failed',
])
