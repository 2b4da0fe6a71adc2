import type { Instant } from '../../base/ids.js'

const DAY_MS = 86_400_000

const digits = (value: number, width: number): string => String(value).padStart(width, '0')

/**
 * An instant as RFC 3339 UTC with milliseconds, for years 1970 … 9999.
 *
 * Pure code has no `Date`. Source of the calendar: Howard Hinnant, "chrono-compatible low-level date
 * algorithms", civil_from_days.
 */
export function isoInstant(at: Instant): string {
  if (at !== last.at) last = { at, text: write(at) }
  return last.text
}

/** Of the newest call: what one answer shows has mostly happened at the same instant. */
let last = { at: 0, text: write(0) }

function write(at: Instant): string {
  const days = Math.floor(at / DAY_MS)
  const ms = at - days * DAY_MS
  const { year, month, day } = civilFromDays(days)
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor(ms / 60_000) % 60
  const seconds = Math.floor(ms / 1000) % 60
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`
  const time = `${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}`
  return `${date}T${time}.${digits(ms % 1000, 3)}Z`
}

/** Years begin in March here, so that the leap day is a year's last and needs no case of its own. */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  }
}
