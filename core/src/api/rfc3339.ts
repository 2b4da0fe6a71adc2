import { Problem } from './problem.js'

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|[+-](\d\d):(\d\d))$/i

const FORM = 'must be an RFC 3339 instant such as 2030-01-31T12:00:00.000Z'

/**
 * @returns milliseconds since 1970
 * @throws Problem `invalid_request`, naming `path`
 */
export function parseInstant(text: string, path: string): number {
  const parts = RFC3339.exec(text)
  if (parts === null) throw refused(path, FORM)
  const at = isOnTheCalendar(parts.slice(1).map(Number)) ? Date.parse(text.toUpperCase()) : NaN
  if (!Number.isNaN(at)) return at
  throw refused(path, `${FORM}; this one does not exist, or is a leap second, which is not taken`)
}

/** Date.parse takes 30 February for 2 March, and 24:00:00 for the day after. */
function isOnTheCalendar(parts: readonly number[]): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ...offset] = parts
  const [offsetHour, offsetMinute] = offset.map((part) => (Number.isNaN(part) ? 0 : part))
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
  const isTime = hour <= 23 && minute <= 59 && second <= 59
  return isDay && isTime && (offsetHour ?? 0) <= 23 && (offsetMinute ?? 0) <= 59
}

function daysOf(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function refused(path: string, message: string): Problem {
  return new Problem('invalid_request', `${path.slice(1)} ${message}`, {
    errors: [{ path, message }],
  })
}
