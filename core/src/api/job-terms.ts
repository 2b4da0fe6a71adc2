import { DURATION_MS_MAX, parseDuration, type Submission } from '@gyre/jobs'
import type { SubmitCommand } from '../protocol/ledger/command.js'
import { Problem } from './problem.js'
import { parseInstant } from './rfc3339.js'

type JobTerms = Pick<
  SubmitCommand,
  'priority' | 'delayMs' | 'runAt' | 'startBy' | 'timeoutMs' | 'affinity' | 'notAfter'
>

type Given = Pick<
  Submission,
  'priority' | 'delay' | 'runAt' | 'startBy' | 'timeout' | 'affinity' | 'notAfter'
>

/**
 * What a submission says of its order and times, as the ledger takes it. Instants that have passed
 * are no mistake here: what they mean is decided by arc time, when the job is stored.
 *
 * @throws Problem `invalid_request` where two members contradict each other, or one means nothing
 */
export function jobTermsOf(given: Given): JobTerms {
  const { priority, affinity } = given
  const delayMs = durationOf(given.delay, '/delay')
  const runAt = instantOf(given.runAt, '/runAt')
  const startBy = instantOf(given.startBy, '/startBy')
  const timeoutMs = durationOf(given.timeout, '/timeout')
  const notAfter = instantOf(given.notAfter, '/notAfter')
  if (delayMs !== undefined && runAt !== undefined) {
    throw refused('/runAt', 'contradicts delay; give one of them')
  }
  if (startBy !== undefined && runAt !== undefined && startBy <= runAt) {
    throw refused('/startBy', 'must be later than runAt, before which nothing starts')
  }
  if (timeoutMs === 0) throw refused('/timeout', 'must be at least 1 ms')
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(runAt === undefined ? {} : { runAt }),
    ...(startBy === undefined ? {} : { startBy }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(notAfter === undefined ? {} : { notAfter }),
  }
}

function instantOf(text: string | undefined, path: string): number | undefined {
  return text === undefined ? undefined : parseInstant(text, path)
}

function durationOf(spec: Given['delay'], path: string): number | undefined {
  if (spec === undefined) return undefined
  const ms = parseDuration(spec)
  if (ms !== null) return ms
  throw refused(path, `must be a duration of at most ${DURATION_MS_MAX / 86_400_000}d`)
}

function refused(path: string, message: string): Problem {
  return new Problem('invalid_request', `${path.slice(1)} ${message}`, {
    errors: [{ path, message }],
  })
}
