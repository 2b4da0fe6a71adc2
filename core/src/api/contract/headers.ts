import { Type } from '@gyre/jobs/typebox'
import { WAIT_MS_MAX } from '../limits.js'

/**
 * Headers of requests and answers, for the OpenAPI document. What clients send is read and judged by
 * the code that works with it (idempotency.ts, etag.ts, prefer.ts, traceparent.ts).
 */

function header(description: string) {
  return Type.Optional(Type.String({ description }))
}

const IdempotencyKey = header(
  'Makes a repeat safe: the same key gives the first answer again. 1 to 512 bytes of UTF-8.',
)
const IfMatch = header('`"VERSION"`, or `*` for any: else 412 `version_conflict`.')
const IfNoneMatch = header('`*`: only if there is no record yet, else 412 `version_conflict`.')
const Prefer = header(
  `\`wait=SECONDS\`, at most ${WAIT_MS_MAX / 1000}: the answer waits for the end.`,
)
const Traceparent = header('W3C trace context, carried through the job to its handlers.')

export const SubmitHeaders = Type.Object({
  'Idempotency-Key': IdempotencyKey,
  Prefer,
  traceparent: Traceparent,
})
export const BatchHeaders = Type.Object({ traceparent: Traceparent })
export const FollowHeaders = Type.Object({
  'Last-Event-ID': header('The `id` of the last event that is known: what follows it is told.'),
})
export const ChangeHeaders = Type.Object({ 'Idempotency-Key': IdempotencyKey })
export const ResubmitHeaders = Type.Object({
  'Idempotency-Key': IdempotencyKey,
  traceparent: Traceparent,
})
export const WriteHeaders = Type.Object({
  'Idempotency-Key': IdempotencyKey,
  'If-Match': IfMatch,
  'If-None-Match': IfNoneMatch,
})
export const DeleteHeaders = Type.Object({
  'Idempotency-Key': IdempotencyKey,
  'If-Match': IfMatch,
})

const ANSWER_HEADERS = {
  Allow: 'With 405: the methods of this path.',
  ETag: 'The version of the record, `"VERSION"`.',
  'Gyre-Applied-Index': 'With `consistency=stale`: how far the replica is, for a list the lowest.',
  'Gyre-Served-By': 'Name of the node that answered.',
  'Gyre-Staleness-Ms': 'With `consistency=stale`: how far it may be behind, in milliseconds.',
  'Idempotency-Replayed': '`true` when the answer is that of an earlier request with this key.',
  Location: 'Path of the job.',
  'Preference-Applied': 'The `wait` that was applied, in seconds.',
  'Retry-After': 'With 503: seconds to wait before the next try.',
} as const

export type AnswerHeader = keyof typeof ANSWER_HEADERS

export const STALE: readonly AnswerHeader[] = ['Gyre-Applied-Index', 'Gyre-Staleness-Ms']

/** As the generator of the document wants them. */
export function describeHeaders(names: readonly AnswerHeader[]): Record<string, object> {
  const all: AnswerHeader[] = [...names, 'Gyre-Served-By']
  return Object.fromEntries(
    all.map((name) => [name, { type: 'string', description: ANSWER_HEADERS[name] }]),
  )
}
