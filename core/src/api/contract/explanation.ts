import { Type } from '@gyre/jobs/typebox'
import { EXPLAIN_CODES } from './explain-codes.js'
import { Id, Instant } from './parts.js'

const optional = {
  step: Type.Optional(Type.String()),
  hook: Type.Optional(Type.Literal('compensate', { description: 'It is about undoing the step.' })),
  status: Type.Optional(Type.String()),
  finishedAt: Type.Optional(Instant),
  steps: Type.Optional(Type.Array(Type.String(), { description: 'Left to be undone.' })),
  running: Type.Optional(Type.Integer({ description: 'Attempts that are still to stop.' })),
  until: Type.Optional(Instant),
  needs: Type.Optional(Type.Array(Type.String())),
  attempt: Type.Optional(Type.Integer()),
  node: Type.Optional(Id),
  startedAt: Type.Optional(Instant),
  timesOutAt: Type.Optional(Instant),
  items: Type.Optional(Type.Integer({ description: 'Of a `forEach`: how many it is about.' })),
  service: Type.Optional(Type.String()),
  refused: Type.Optional(Type.String({ description: 'Why the node does not run it.' })),
  slots: Type.Optional(Type.Integer()),
  arc: Type.Optional(Type.Integer()),
  refusal: Type.Optional(Type.String({ description: 'What the arc answered.' })),
}

/** Why a job is where it is. */
export const Explanation = Type.Object(
  {
    summary: Type.String({ description: 'One sentence.' }),
    reasons: Type.Array(
      Type.Object({
        code: Type.String({ description: `One of: ${EXPLAIN_CODES.join(', ')}.` }),
        text: Type.String(),
        ...optional,
      }),
    ),
    more: Type.Integer({ description: 'Reasons beyond those told.' }),
  },
  { $id: 'Explanation' },
)
