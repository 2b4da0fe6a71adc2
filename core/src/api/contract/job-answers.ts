import { JsonSchema } from '@gyre/jobs'
import { Type } from '@gyre/jobs/typebox'
import { JOB_ERROR_CODES } from './job-error-codes.js'
import { Id, Instant, Nullable, incomplete, ref } from './parts.js'

/** A job, what it is made of, and what is told of it in lists. */

const JobError = Type.Object(
  {
    code: Type.String({
      description: `Stable. The handler's own, or one of: ${JOB_ERROR_CODES.join(', ')}.`,
    }),
    message: Type.String(),
    retryable: Type.Boolean(),
    details: Type.Optional(JsonSchema),
  },
  { $id: 'JobError' },
)

const progress = {
  at: Instant,
  done: Type.Number(),
  total: Nullable(Type.Number()),
  note: Type.Optional(Type.String()),
}

const Attempt = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1 }),
    node: Id,
    startedAt: Instant,
    finishedAt: Nullable(Instant),
    outcome: Nullable(Type.Enum(['succeeded', 'failed', 'timed_out', 'lost', 'cancelled'])),
    error: Nullable(ref('JobError')),
    memoizedFrom: Type.Optional(
      Type.String({ description: 'The job whose result it was given; it did not run.' }),
    ),
    progress: Type.Optional(
      Type.Object(progress, {
        description: 'The newest that its handler said; absent when it said nothing.',
      }),
    ),
  },
  { $id: 'Attempt' },
)

const attempts = {
  attempts: Type.Array(ref('Attempt'), { description: 'The newest 100.' }),
  attemptCount: Type.Integer({ description: 'Ever; of a `forEach`, of all its items.' }),
}

const step = {
  name: Type.String(),
  service: Type.String(),
  status: Type.String(),
  output: JsonSchema,
  error: Nullable(ref('JobError')),
  task: Nullable(Id),
  ...attempts,
  lostAttempts: Type.Integer({
    description:
      'Of this run, charged to the budget of 3; with the third the job is poison. Of a `forEach`: of the ' +
      'item that lost most.',
  }),
  takenFrom: Type.Optional(
    Type.String({ description: 'The job that has done it, after a resubmission from a step.' }),
  ),
  items: Type.Optional(
    Type.Object(
      {
        total: Type.Integer(),
        succeeded: Type.Integer(),
        failed: Type.Integer(),
        active: Type.Integer(),
      },
      { description: 'Of a `forEach`, once its items are known.' },
    ),
  ),
  compensation: Nullable(
    Type.Object({
      status: Type.String(),
      ...attempts,
      items: Type.Optional(
        Type.Object({
          left: Type.Integer(),
          active: Type.Integer(),
          succeeded: Type.Integer(),
          failed: Type.Integer(),
        }),
      ),
      error: Nullable(ref('JobError')),
      skipped: Nullable(
        Type.Object(
          { reason: Type.String(), at: Instant },
          { description: 'An operator has given it up.' },
        ),
      ),
    }),
  ),
  truncated: Type.Optional(
    Type.Literal(true, {
      description:
        'The steps before it fill 2 MiB: it stands here without its output, its attempts and the details of ' +
        'its error. `/v1/jobs/{id}/steps/{name}` has all of it.',
    }),
  ),
}

const Step = Type.Object(step, { $id: 'Step' })

const item = {
  index: Type.Integer({ minimum: 0 }),
  status: Type.String(),
  output: JsonSchema,
  error: Nullable(ref('JobError')),
  task: Id,
  ...attempts,
  lostAttempts: Type.Integer(),
  compensation: Nullable(
    Type.Object({ status: Type.String(), ...attempts, error: Nullable(ref('JobError')) }),
  ),
}

const Item = Type.Object(item, { $id: 'Item', description: 'One item of a `forEach` step.' })

const summary = {
  id: Id,
  job: Nullable(Type.String()),
  status: Type.String({
    description:
      'queued running waiting scheduled cancelling compensating, or final: succeeded failed ' +
      'cancelled compensated compensation_failed.',
  }),
  cause: Nullable(Type.Enum(['failed', 'timed_out', 'cancelled', 'poison'])),
  run: Type.Integer({ minimum: 1 }),
  priority: Type.Integer({ minimum: 0, maximum: 9 }),
  labels: Type.Record(Type.String(), Type.String()),
  error: Nullable(ref('JobError')),
  progress: Type.Object(
    { done: Type.Number(), total: Type.Number() },
    {
      description:
        'Steps, and items of a `forEach` one by one. Of a job with one step what its handler says, ' +
        'where that says a total.',
    },
  ),
  waitingFor: Nullable(
    Type.Object({
      kind: Type.String({
        description: 'timer: its runAt is ahead. retry: its next attempt is.',
      }),
      until: Type.Optional(Instant),
    }),
  ),
  createdAt: Instant,
  startedAt: Nullable(Instant),
  finishedAt: Nullable(Instant),
  runAt: Nullable(Instant),
  startBy: Nullable(Instant),
  timesOutAt: Nullable(Instant),
  affinity: Nullable(Type.String()),
  historyTruncated: Type.Boolean({
    description: 'True: its history has reached 10,000 events, and leaves out what came since.',
  }),
}

const Job = Type.Object(
  { ...summary, input: JsonSchema, output: JsonSchema, steps: Type.Array(ref('Step')) },
  { $id: 'Job' },
)

const JobSummary = Type.Object(summary, {
  $id: 'JobSummary',
  description: 'A job without its input, output and steps.',
})

const PurgedJob = Type.Object(
  { id: Id, status: Type.String(), purged: Type.Literal(true) },
  {
    $id: 'PurgedJob',
    description: 'What is left of a job that was removed: its key still counts.',
  },
)

/** What stands behind the ID of a task: its step or item, and where that belongs. */
const Task = Type.Object(
  {
    ...Type.Partial(Type.Object(step)).properties,
    ...Type.Partial(Type.Object(item)).properties,
    task: Id,
    job: Id,
    step: Type.String(),
    service: Type.String(),
    index: Nullable(Type.Integer({ description: 'Of an item.' })),
    compensation: Type.Optional(JsonSchema),
  },
  { $id: 'Task', description: 'A step or an item, with the job and step that it is of.' },
)

const JobCounts = Type.Object(
  {
    total: Type.Integer(),
    byStatus: Type.Record(Type.String(), Type.Integer(), {
      description: 'Statuses that no job has are absent.',
    }),
    ...incomplete,
  },
  { $id: 'JobCounts' },
)

const LogLine = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    at: Instant,
    level: Type.Enum(['debug', 'info', 'warn', 'error']),
    message: Type.String(),
    step: Type.String(),
    index: Type.Optional(Type.Integer({ description: 'Of an item.' })),
    hook: Type.Optional(Type.Literal('compensate')),
    attempt: Type.Integer({ minimum: 1 }),
    fields: Type.Optional(JsonSchema),
  },
  { $id: 'LogLine' },
)

export const JOB_ANSWERS = [
  JobError,
  Attempt,
  Step,
  Item,
  Job,
  JobSummary,
  PurgedJob,
  Task,
  JobCounts,
  LogLine,
]
