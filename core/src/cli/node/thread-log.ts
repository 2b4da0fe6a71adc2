import { type Logger, pino } from 'pino'

/**
 * The log of one thread: JSON lines on standard error, written at once, so that the last words of a
 * dying process are not lost in a buffer.
 */
export function createThreadLog(thread: string, level: string): Logger {
  return pino({ level, base: { thread } }, pino.destination({ fd: 2, sync: true }))
}
