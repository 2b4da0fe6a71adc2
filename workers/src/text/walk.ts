import { opendir, lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FOLDER_DEPTH_MAX } from './limits.js'

export interface FoundFile {
  /** Relative to the folder that was asked for. */
  readonly path: string
  readonly bytes: number
}

/** What was passed over, by reason. */
export interface Skipped {
  links: number
  special: number
  unreadable: number
  tooDeep: number
}

/**
 * Every regular file below a folder, in order of paths. Symbolic links are not followed, so a loop of
 * them cannot trap the walk; `except` (an absolute path) is left out.
 *
 * @throws the first folder's own error; deeper ones are counted in `skipped`
 */
export async function* walk(
  folder: string,
  options: { except: string; skipped: Skipped; signal: AbortSignal },
): AsyncGenerator<FoundFile> {
  yield* walkFolder(folder, '', 0, options)
}

async function* walkFolder(
  root: string,
  inside: string,
  depth: number,
  options: { except: string; skipped: Skipped; signal: AbortSignal },
): AsyncGenerator<FoundFile> {
  const { skipped, signal, except } = options
  for (const entry of await entriesOf(join(root, inside), depth, skipped)) {
    signal.throwIfAborted()
    const path = inside === '' ? entry.name : join(inside, entry.name)
    if (entry.kind === 'link') skipped.links += 1
    else if (entry.kind === 'special') skipped.special += 1
    else if (entry.kind === 'folder') {
      if (resolve(root, path) === except) continue
      if (depth >= FOLDER_DEPTH_MAX) skipped.tooDeep += 1
      else yield* walkFolder(root, path, depth + 1, options)
    } else {
      const bytes = await sizeOf(join(root, path))
      if (bytes === null) skipped.unreadable += 1
      else yield { path, bytes }
    }
  }
}

interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'special'
}

async function entriesOf(path: string, depth: number, skipped: Skipped): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = []
  try {
    for await (const entry of await opendir(path)) {
      const kind = entry.isFile()
        ? 'file'
        : entry.isDirectory()
          ? 'folder'
          : entry.isSymbolicLink()
            ? 'link'
            : 'special'
      entries.push({ name: entry.name, kind })
    }
  } catch (error) {
    if (depth === 0) throw error
    skipped.unreadable += 1
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await lstat(path)).size
  } catch {
    return null
  }
}
