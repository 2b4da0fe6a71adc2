import { readFileSync } from 'node:fs'
import { CONNECTIONS_MAX, OPEN_FILES_ASSUMED, OPEN_FILES_RESERVED } from './limits.js'

/** Connections that are taken at a time by a process that may open so many files. */
export function connectionsMaxFor(openFilesMax: number): number {
  const left = Math.max(openFilesMax - OPEN_FILES_RESERVED, Math.floor(openFilesMax / 2))
  return Math.min(CONNECTIONS_MAX, left)
}

/** What the system lets this process open at a time; a safe guess where it does not tell. */
export function openFilesMax(): number {
  try {
    return softLimitIn(readFileSync('/proc/self/limits', 'utf8'))
  } catch {
    // Only Linux has this file; elsewhere the guess stands.
    return OPEN_FILES_ASSUMED
  }
}

/** @param limits as in `/proc/self/limits`: name, soft limit, hard limit, unit */
export function softLimitIn(limits: string): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === undefined) return OPEN_FILES_ASSUMED
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
