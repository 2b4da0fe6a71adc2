import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder, and those above it that are missing, so that they survive a power cut: the entry of
 * a new folder is durable only when its parent was synced.
 */
export function makeFolderDurably(folder: string): void {
  const path = resolve(folder)
  const topmost = mkdirSync(path, { recursive: true })
  if (topmost === undefined) return
  for (let made = path; ; made = dirname(made)) {
    syncFolder(dirname(made))
    if (made === topmost) return
  }
}

export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
