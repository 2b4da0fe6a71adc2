import { type TSchema, Type } from '@gyre/jobs/typebox'
import type { HistoryDetail, ToldStop } from '../../protocol/ledger/history.js'
import { Id, Instant, Nullable, ref } from './parts.js'

/** Events of a job's timeline, a schema for each type. The compiler knows when a member is missing. */

type Members = {
  readonly [Type in HistoryDetail['type']]: Readonly<
    Record<Exclude<keyof Extract<HistoryDetail, { readonly type: Type }>, 'type'>, TSchema>
  >
}

const STOPS: readonly ToldStop[] = ['timed_out', 'cancelled', 'job_failed', 'job_timed_out']

const Step = Type.String({ description: 'Name of the step.' })
const Hook = Type.Optional(
  Type.Literal('compensate', { description: 'It is about undoing the step.' }),
)
const Steps = Type.Array(Type.String())
const Count = Type.Integer({ minimum: 0 })

const ofAttempt = {
  step: Step,
  index: Type.Optional(Type.Integer({ description: 'Of the item of a `forEach`.' })),
  hook: Hook,
  attempt: Type.Integer({ minimum: 1 }),
}

const MEMBERS: Members = {
  job_submitted: {},
  job_resubmitted: { source: Id, run: Count, from: Type.Optional(Step) },
  output_taken_over: { step: Step, source: Id },
  job_scheduled: { until: Instant },
  attempt_started: {
    ...ofAttempt,
    node: Id,
    fence: Type.Integer({ description: 'Rises with each attempt of the job.' }),
  },
  attempt_stopping: {
    ...ofAttempt,
    reason: Type.Enum([...STOPS], {
      description:
        'timed_out: its own timeout. cancelled: somebody asked. job_failed: another step failed. ' +
        'job_timed_out: the timeout of the job.',
    }),
  },
  attempt_ended: {
    ...ofAttempt,
    outcome: Type.Enum(['succeeded', 'failed', 'timed_out', 'lost', 'cancelled', 'not_started']),
    lostAttempts: Type.Optional(
      Type.Integer({ description: 'How many of its task count against the budget by now.' }),
    ),
    error: Type.Optional(ref('JobError')),
  },
  memoized: { ...ofAttempt, source: Id },
  retry_scheduled: { ...ofAttempt, until: Instant },
  service_refused: {
    step: Step,
    hook: Hook,
    service: Type.String(),
    node: Id,
    reason: Type.String(),
    text: Type.String(),
  },
  items_found: { step: Step, count: Count },
  step_succeeded: { step: Step },
  step_failed: { step: Step, error: ref('JobError') },
  step_skipped: {
    step: Step,
    need: Type.Optional(Type.String({ description: 'The step without which it cannot run.' })),
  },
  failure_steps_started: { steps: Steps },
  cancel_requested: { compensate: Type.Boolean() },
  job_timed_out: {},
  start_by_passed: {},
  compensation_started: { steps: Steps },
  step_compensated: { step: Step },
  compensation_failed: { step: Step, error: ref('JobError') },
  compensation_retried: {},
  compensation_skipped: { step: Step, reason: Type.String() },
  compensation_given_up: { reason: Type.String() },
  job_retried: { run: Count },
  job_ended: {
    status: Type.String(),
    cause: Nullable(Type.String()),
    error: Type.Optional(ref('JobError')),
  },
}

/** Open for types that a later version tells: clients pass over what they do not know. */
export const HistoryEvent = Type.Union(
  Object.entries(MEMBERS).map(([type, members]) =>
    Type.Object(
      {
        seq: Type.Integer({ minimum: 1, description: 'From 1 in each job, without a gap.' }),
        at: Instant,
        type: Type.Literal(type),
        ...members,
      },
      { title: type },
    ),
  ),
  { $id: 'HistoryEvent', description: 'By its `type`. Later versions may tell others.' },
)
