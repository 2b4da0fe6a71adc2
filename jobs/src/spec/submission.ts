import { type Static, Type } from './typebox.js'
import type { Json, JsonObject } from './json.js'
import {
  AFFINITY_LENGTH_MAX,
  ATTEMPTS_MAX,
  CONCURRENCY_DEFAULT,
  CONCURRENCY_MAX,
  DURATION_MS_MAX,
  FACTOR_MAX,
  FOR_EACH_ITEMS_MAX,
  LABEL_KEY_LENGTH_MAX,
  LABEL_VALUE_LENGTH_MAX,
  LABELS_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  STEPS_MAX,
} from './limits.js'

/**
 * What a submitter writes: one schema is the validation, the OpenAPI text and the type. What a
 * schema cannot say (cycles, known services, pointers) is checked by make-plan.ts.
 */

const closed = { additionalProperties: false } as const

export const JsonSchema = Type.Unsafe<Json>({ description: 'Any JSON value.' })

export const DurationSchema = Type.Union(
  [
    Type.Integer({ minimum: 0, maximum: DURATION_MS_MAX }),
    Type.String({ pattern: '^(?:0|[1-9][0-9]{0,14})(?:ms|s|m|h|d)$' }),
  ],
  { description: 'Milliseconds as an integer, or "500ms", "30s", "5m", "2h", "7d".' },
)

export const RetrySchema = Type.Object(
  {
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: ATTEMPTS_MAX })),
    delay: Type.Optional(DurationSchema),
    factor: Type.Optional(Type.Number({ minimum: 1, maximum: FACTOR_MAX })),
    maxDelay: Type.Optional(DurationSchema),
    jitter: Type.Optional(Type.Boolean()),
  },
  { ...closed, description: 'Default: 5 attempts, 1 s, doubled up to 5 min, with jitter.' },
)

export const ServiceNameSchema = Type.String({
  minLength: 1,
  maxLength: NAME_LENGTH_MAX,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
})

export const JobNameSchema = Type.String({
  minLength: 1,
  maxLength: NAME_LENGTH_MAX,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
})

/** The pattern of step names, which become parts of attempt IDs and of paths. */
export const STEP_NAME_PATTERN = '^[A-Za-z0-9_-]{1,64}$'

export const CompensateSchema = Type.Object(
  {
    service: ServiceNameSchema,
    input: Type.Optional(JsonSchema),
    timeout: Type.Optional(DurationSchema),
    retry: Type.Optional(RetrySchema),
  },
  closed,
)

const ForEachSchema = Type.Unsafe<Json>({
  description:
    'An array, {"range": N}, or a {"$from": POINTER} that gives one of them; at most ' +
    `${FOR_EACH_ITEMS_MAX} items. One task for each, with /item and /index in its input.`,
  anyOf: [{ type: 'array' }, { type: 'object' }],
})

export const WhenSchema = Type.Object(
  {
    $from: Type.String({ description: 'Where to look; /steps/x implies needs: [x].' }),
    equals: Type.Optional(JsonSchema),
    exists: Type.Optional(Type.Boolean()),
  },
  {
    ...closed,
    description:
      'The step runs only when this is so, looked at once when its needs are met; else it is `skipped`. ' +
      'Exactly one of `equals` (the same JSON value, order of members aside) and `exists` (the pointer ' +
      'leads somewhere; null is something).',
  },
)

export const StepSchema = Type.Object(
  {
    service: ServiceNameSchema,
    needs: Type.Optional(Type.Array(Type.String(), { maxItems: STEPS_MAX })),
    when: Type.Optional(WhenSchema),
    onSkippedNeed: Type.Optional(
      Type.Enum(['skip', 'run'], {
        description:
          'When a step that it needs was skipped: it is skipped too (default), or it runs, and pointers into ' +
          'the skipped one give null.',
      }),
    ),
    onFailure: Type.Optional(
      Type.Literal(true, {
        description:
          'Runs only when the job fails (not when it is cancelled): once everything has stopped and before ' +
          'anything is undone. The job stays failed. Sees {step, cause, error} as /failure; a pointer into ' +
          '/steps that leads nowhere gives null, any other fails it (input_unresolved). Otherwise it is `skipped`.',
      }),
    ),
    input: Type.Optional(JsonSchema),
    timeout: Type.Optional(DurationSchema),
    retry: Type.Optional(RetrySchema),
    compensate: Type.Optional(CompensateSchema),
    memoize: Type.Optional(
      Type.Union([...DurationSchema.anyOf, Type.Literal(false)], {
        description:
          'For so long the result is shared: a task of the same service, version and input, of any job, is ' +
          'given it and does not run. Never beside a compensation. false: not, although the service says so.',
      }),
    ),
    forEach: Type.Optional(ForEachSchema),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: CONCURRENCY_MAX,
        description: `Items at a time; default ${CONCURRENCY_DEFAULT}.`,
      }),
    ),
    onItemError: Type.Optional(
      Type.Enum(['fail', 'continue'], {
        description:
          'An item that fails for good: stops and fails the step (default), or counts as a result.',
      }),
    ),
    collect: Type.Optional(
      Type.Enum(['array', 'count', 'none'], {
        description:
          'The output of the step: what the items gave, null for failed ones (default); {count, failed}; ' +
          'null. An array past 256 KiB becomes {count, failed, itemsUrl}.',
      }),
    ),
  },
  closed,
)

export const StepsSchema = Type.Record(Type.String(), StepSchema, {
  minProperties: 1,
  maxProperties: STEPS_MAX,
  description: 'Steps by name; a name matches [A-Za-z0-9_-]{1,64}.',
})

/** What a label's key looks like; it is also a part of a query's member name, `label.KEY`. */
export const LABEL_KEY_PATTERN = `^[A-Za-z0-9][A-Za-z0-9._/-]{0,${LABEL_KEY_LENGTH_MAX - 1}}$`

export const LabelsSchema = Type.Record(
  Type.String(),
  Type.String({ maxLength: LABEL_VALUE_LENGTH_MAX }),
  {
    maxProperties: LABELS_MAX,
    propertyNames: { type: 'string', pattern: LABEL_KEY_PATTERN },
    description:
      `Find the job by them: \`GET /v1/jobs?label.KEY=VALUE\`. At most ${LABELS_MAX}; a key matches ` +
      `${LABEL_KEY_PATTERN}, a value has at most ${LABEL_VALUE_LENGTH_MAX} characters.`,
  },
)
const InstantSchema = (description: string) =>
  Type.String({ maxLength: 64, description: `RFC 3339. ${description}` })

/** Members that all three shapes share; they say how and when to run, not what. */
const envelope = {
  priority: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: PRIORITY_MAX,
      description: 'Orders ready tasks, 9 first; default 5.',
    }),
  ),
  labels: Type.Optional(LabelsSchema),
  delay: Type.Optional(
    Type.Union(DurationSchema.anyOf, {
      description: 'Nothing starts before this long from now; never beside runAt.',
    }),
  ),
  runAt: Type.Optional(
    InstantSchema('Nothing starts before; one in the past is as none. Never beside delay.'),
  ),
  startBy: Type.Optional(
    InstantSchema('By then the first attempt must have started, else: start_by_passed.'),
  ),
  timeout: Type.Optional(
    Type.Union(DurationSchema.anyOf, {
      description: 'How long the job may take from when it may start, waiting included.',
    }),
  ),
  affinity: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: AFFINITY_LENGTH_MAX,
      description: 'Tasks are placed by its hash instead of their own.',
    }),
  ),
  retention: Type.Optional(DurationSchema),
  idempotencyKey: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      description:
        'As the Idempotency-Key header, 1 to 512 bytes of UTF-8. In a batch only this member counts.',
    }),
  ),
  notAfter: Type.Optional(InstantSchema('Past it nothing is stored: 422 too_late.')),
}

export const ServiceSubmissionSchema = Type.Object(
  {
    service: ServiceNameSchema,
    input: Type.Optional(JsonSchema),
    retry: Type.Optional(RetrySchema),
    compensate: Type.Optional(CompensateSchema),
    ...envelope,
  },
  { ...closed, description: 'One step, named `main`.' },
)

export const StepsSubmissionSchema = Type.Object(
  {
    steps: StepsSchema,
    input: Type.Optional(JsonSchema),
    output: Type.Optional(JsonSchema),
    ...envelope,
  },
  { ...closed, description: 'A graph of steps.' },
)

export const JobSubmissionSchema = Type.Object(
  { job: JobNameSchema, input: Type.Optional(JsonSchema), ...envelope },
  { ...closed, description: 'A job that a plugin defines.' },
)

/** A declared job, as a plugin exports it. */
export const JobDefinitionSchema = Type.Object({
  name: JobNameSchema,
  description: Type.Optional(Type.String()),
  input: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object' })),
  steps: StepsSchema,
  output: Type.Optional(JsonSchema),
})

export type DurationSpec = Static<typeof DurationSchema>
export type RetrySpec = Static<typeof RetrySchema>
export type CompensateSpec = Static<typeof CompensateSchema>
export type WhenSpec = Static<typeof WhenSchema>
export type StepSpec = Static<typeof StepSchema>
export type StepsSpec = Readonly<Record<string, StepSpec>>
export type ServiceSubmission = Static<typeof ServiceSubmissionSchema>
export type StepsSubmission = Static<typeof StepsSubmissionSchema>
export type JobSubmission = Static<typeof JobSubmissionSchema>
export type Submission = ServiceSubmission | StepsSubmission | JobSubmission
