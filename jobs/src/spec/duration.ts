import { DURATION_MS_MAX } from './limits.js'
import type { DurationSpec } from './submission.js'

/** How long: an integer of milliseconds, or a whole number with one of these units. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const PATTERN = /^(0|[1-9]\d{0,14})(ms|s|m|h|d)$/

/** @returns milliseconds; null when the text is no duration or passes DURATION_MS_MAX */
export function parseDuration(spec: DurationSpec): number | null {
  const ms = typeof spec === 'number' ? spec : textToMs(spec)
  if (ms === null || !Number.isInteger(ms)) return null
  return ms >= 0 && ms <= DURATION_MS_MAX ? ms : null
}

function textToMs(text: string): number | null {
  const [, amount, unit] = PATTERN.exec(text) ?? []
  const factor = unit === undefined ? undefined : UNIT_MS[unit]
  return factor === undefined ? null : Number(amount) * factor
}
