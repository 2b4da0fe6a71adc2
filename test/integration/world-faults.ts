import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'

/** This file runs from test/dist/integration. */
const SOURCE = join(import.meta.dirname, '..', '..', 'integration', 'world-faults.cc')

/** Linux's numbers. */
export const EIO = 5
export const ENOSPC = 28

/**
 * One thing that goes wrong. `path` is a part of the paths that it concerns; `shift` is what the wall
 * clock is ahead by.
 */
export type Fault =
  | { readonly operation: 'read' | 'write' | 'sync'; readonly path: string; readonly error: number }
  | { readonly operation: 'write' | 'sync'; readonly path: string; readonly delayMs: number }
  /** Until it is set no more. */
  | { readonly operation: 'write' | 'sync'; readonly path: string; readonly hangs: true }
  /** Once: every other sector arrives, and the process is gone. Or: one bit arrives as another. */
  | { readonly operation: 'write'; readonly path: string; readonly once: 'tear' | 'flip' }
  | { readonly clockShiftMs: number }

/**
 * Faults of disk and clock for processes that are started with `environment`; what `set` says holds
 * from their next call on. Built with the C++ compiler that better-sqlite3 needs too.
 */
export class WorldFaults {
  readonly environment: Readonly<Record<string, string>>
  readonly #rules: string

  constructor(owner: Owner) {
    const folder = temporaryFolder(owner)
    const library = join(folder, 'world-faults.so')
    execFileSync('g++', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'])
    this.#rules = join(folder, 'rules')
    this.environment = { LD_PRELOAD: library, GYRE_WORLD_FAULTS: this.#rules }
    this.set()
  }

  /** These and no others, from now on. */
  set(...faults: readonly Fault[]): void {
    const next = `${this.#rules}.next`
    writeFileSync(next, faults.map((fault) => `${lineOf(fault)}\n`).join(''))
    renameSync(next, this.#rules)
  }
}

function lineOf(fault: Fault): string {
  if ('clockShiftMs' in fault) return `clock - SHIFT ${fault.clockShiftMs}`
  const concerned = `${fault.operation} ${fault.path}`
  if ('error' in fault) return `${concerned} ERROR ${fault.error}`
  if ('delayMs' in fault) return `${concerned} DELAY ${fault.delayMs}`
  if ('hangs' in fault) return `${concerned} HANG 0`
  return `${concerned} ${fault.once.toUpperCase()} 0`
}
