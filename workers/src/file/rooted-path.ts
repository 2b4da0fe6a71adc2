import { type FileHandle, open, realpath } from 'node:fs/promises'
import { isAbsolute, join, posix, relative, sep } from 'node:path'
import { giveUp, type ServiceContext, type ServiceError } from '../sdk/index.js'

/**
 * A path inside the folder that the node's owner has given to `file.*`, and no other: not by `..`, not
 * by an absolute path, not through a symbolic link. The folder that holds the entry is resolved, and must
 * lie inside; the entry itself is never followed. What was opened is looked at once more, so that a link
 * that was put there in between is noticed.
 */
export interface RootedPath {
  /** The folder of the entry, resolved. */
  readonly folder: string
  /** The entry in it, resolved as far as its folder. */
  readonly full: string
  readonly root: string
}

export async function rootedPath(ctx: ServiceContext, path: string): Promise<RootedPath> {
  const root = await rootOf(ctx)
  const clean = posix.normalize(path)
  const leaves = isAbsolute(path) || clean === '..' || clean.startsWith('../')
  if (leaves || path.includes('\0') || path === '') throw outside()
  const name = posix.basename(clean)
  const folder = await realpath(join(root, posix.dirname(clean)))
  if (!isInside(root, folder)) throw outside()
  return { root, folder, full: name === '.' ? folder : join(folder, name) }
}

/** Opens an entry without following it; what was opened is inside, whatever has happened meanwhile. */
export async function openInside(path: RootedPath, flags: number): Promise<FileHandle> {
  const file = await open(path.full, flags, 0o644)
  try {
    // Linux tells where an open file is; elsewhere the first look has to do.
    const found = await realpath(`/proc/self/fd/${file.fd}`).catch(() => path.full)
    if (!isInside(path.root, found)) throw outside()
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

async function rootOf({ config }: ServiceContext): Promise<string> {
  const { file } = config
  const root =
    typeof file === 'object' && file !== null && 'root' in file ? file['root'] : undefined
  if (typeof root !== 'string' || !isAbsolute(root)) {
    throw giveUp(
      'files_not_allowed',
      'the node gives no folder to file.*; its owner can, by "file": {"root": "/folder"} of --worker-config',
    )
  }
  return realpath(root)
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** Not the path itself: it may be one of the host. */
function outside(): ServiceError {
  return giveUp(
    'path_refused',
    'the path leads out of the folder of file.*; give one relative to it',
  )
}
