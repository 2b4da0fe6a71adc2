import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { freeBytes } from './free-bytes.js'

/** What the system says of this process. */
export interface ProcessVitals {
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  readonly residentBytes: number
  /** Seconds since 1970. */
  readonly startedAt: number
  /** null where the system does not tell. */
  readonly openFiles: number | null
}

export function processVitals(): ProcessVitals {
  const { user, system } = process.cpuUsage()
  return {
    cpuUserSeconds: user / 1e6,
    cpuSystemSeconds: system / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAt: performance.timeOrigin / 1000,
    openFiles: openFiles(),
  }
}

function openFiles(): number | null {
  try {
    // One of them is the look itself.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return null
  }
}

/** Sizes of what a data folder holds, bytes. */
export interface FolderVitals {
  readonly log: number
  readonly state: number
  /** Rows that the state store has taken and not yet brought into its tree. */
  readonly stateWal: number
  /** What this process may still write there; null where the file system does not say. */
  readonly free: number | null
}

export function folderVitals(dataFolder: string): FolderVitals {
  const free = freeBytes(dataFolder)
  return {
    log: bytesIn(join(dataFolder, 'log')),
    state: bytesOf(join(dataFolder, 'state', 'state.db')),
    stateWal: bytesOf(join(dataFolder, 'state', 'state.db-wal')),
    free: Number.isFinite(free) ? free : null,
  }
}

function bytesIn(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + bytesOf(join(folder, name)), 0)
  } catch {
    return 0
  }
}

/** Files come and go while they are looked at. */
function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
