import { JOB_STATUSES } from '../../base/job-statuses.js'
import { LABEL_KEY_PATTERN } from '@gyre/jobs'
import { Type } from '@gyre/jobs/typebox'
import { PAGE_LIMIT_MAX } from '../limits.js'

/** Parts of requests that many routes share. */

const closed = { additionalProperties: false } as const

const consistency = {
  consistency: Type.Optional(
    Type.Enum(['linearizable', 'stale'], {
      description:
        'Reads are linearizable; `stale` reads the nearest replica and answers ' +
        '`Gyre-Applied-Index` and `Gyre-Staleness-Ms`.',
    }),
  ),
}

const page = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: PAGE_LIMIT_MAX, description: 'Default 50.' }),
  ),
  cursor: Type.Optional(
    Type.String({
      description: '`nextCursor` of the page before, with the same filters.',
    }),
  ),
}

export const ReadQuery = Type.Object(consistency, closed)
export const PageQuery = Type.Object({ ...consistency, ...page }, closed)
/** Of lists that a node makes of what it knows itself: there is no replica to read. */
export const OwnPageQuery = Type.Object(page, closed)

export const LogsQuery = Type.Object(
  {
    ...consistency,
    ...page,
    step: Type.Optional(Type.String({ description: 'Only this step.' })),
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Only lines with a greater `seq`.' }),
    ),
  },
  closed,
)

export const JobParams = Type.Object({
  id: Type.String({ description: 'Job ID, 32 lower-case hex digits.' }),
})

export const StepParams = Type.Object({
  id: Type.String({ description: 'Job ID, 32 lower-case hex digits.' }),
  name: Type.String({ description: 'Name of the step.' }),
})

export const RecordParams = Type.Object({
  key: Type.String({ description: 'One percent-encoded path segment, at most 512 bytes.' }),
})

export const JobQuery = Type.Object(
  {
    ...consistency,
    wait: Type.Optional(
      Type.String({ description: 'Duration, at most 60 s: waits for the end of the job.' }),
    ),
  },
  closed,
)

/** Members of a query that say which jobs; `label.KEY=VALUE` beside them. */
const jobFilter = {
  status: Type.Optional(Type.Enum([...JOB_STATUSES])),
  job: Type.Optional(Type.String({ description: 'Name of the job definition.' })),
  createdAfter: Type.Optional(Type.String({ description: 'RFC 3339; this instant or later.' })),
  createdBefore: Type.Optional(Type.String({ description: 'RFC 3339; before this instant.' })),
}

/** Query members that name a label are `label.` and its key. */
export const LABEL_MEMBER = 'label.'
const withLabels = {
  ...closed,
  patternProperties: { [`^label\\.${LABEL_KEY_PATTERN.slice(1)}`]: { type: 'string' } },
}

export const JobsQuery = Type.Object({ ...consistency, ...page, ...jobFilter }, withLabels)
export const JobCountsQuery = Type.Object({ ...consistency, ...jobFilter }, withLabels)

/** The same in a body. */
export const JobFilterBody = Type.Object(jobFilter, {
  ...withLabels,
  description: '`status`, `job`, `createdAfter`, `createdBefore` and `label.KEY`; all must hold.',
})

export const RecordsQuery = Type.Object(
  { ...consistency, ...page, prefix: Type.Optional(Type.String()) },
  closed,
)
