import { parseDuration } from '@gyre/jobs'
import { WAIT_MS_MAX } from './limits.js'
import { Problem } from './problem.js'

/** How long a client wants to wait for a job's end. */

const WAIT_PREFERENCE = /^wait\s*=\s*"?(\d{1,9})"?$/i

/**
 * The `wait` of a `Prefer` header (RFC 7240), in seconds, cut to the longest allowed wait.
 *
 * @returns undefined when there is none; what cannot be understood is ignored, as the RFC says
 */
export function preferredWaitSeconds(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined
  const preferences = [header].flat().join(',').split(/[,;]/)
  for (const preference of preferences) {
    const [, seconds] = WAIT_PREFERENCE.exec(preference.trim()) ?? []
    if (seconds !== undefined) return Math.min(Number(seconds), WAIT_MS_MAX / 1000)
  }
  return undefined
}

/**
 * The query parameter `wait`: a duration as everywhere, cut to the longest allowed wait.
 *
 * @throws Problem `invalid_request`
 */
export function waitMsOf(text: string | undefined): number {
  if (text === undefined) return 0
  const ms = parseDuration(/^\d{1,15}$/.test(text) ? Number(text) : text)
  if (ms !== null) return Math.min(ms, WAIT_MS_MAX)
  const message = 'must be a duration: milliseconds, or "500ms", "10s", "1m"'
  throw new Problem('invalid_request', `wait ${message}`, { errors: [{ path: '/wait', message }] })
}
