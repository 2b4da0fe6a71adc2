import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { lstat, mkdir, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, posix } from 'node:path'
import { defineService, giveUp, retryLater, ServiceError } from '../sdk/index.js'
import { ENTRIES_MAX, FILE_BYTES_MAX } from './limits.js'
import { openInside, rootedPath } from './rooted-path.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

const PATH = { type: 'string', minLength: 1, maxLength: 4096 } as const
const ENCODING = { enum: ['utf8', 'base64'] } as const

type Encoding = (typeof ENCODING.enum)[number]

/** What cannot be told without loss is refused: a file that is read and written back is the same. */
function textOf(bytes: Buffer, encoding: Encoding, path: string): string {
  if (encoding === 'base64' || isUtf8(bytes)) return bytes.toString(encoding)
  throw giveUp('not_text', `${path} is no UTF-8 text; ask for it with encoding "base64"`)
}

function bytesOf(content: string, encoding: Encoding): Buffer {
  const bytes = Buffer.from(content, encoding)
  if (encoding === 'utf8' || bytes.toString('base64') === content) return bytes
  throw giveUp('not_base64', 'the content is no base64 (RFC 4648, padded); nothing was written')
}

export const read = defineService({
  name: 'file.read',
  version: '1.0.0',
  description: 'Reads a small file inside the folder of file.*.',
  input: {
    type: 'object',
    required: ['path'],
    properties: { path: PATH, encoding: ENCODING },
    additionalProperties: false,
  },
  async run({ path, encoding = 'utf8' }, ctx) {
    return told(path, async () => {
      // Not blocking: a pipe that nobody writes to would be waited for without end.
      const file = await openInside(await rootedPath(ctx, path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        const stat = await file.stat()
        if (!stat.isFile()) throw giveUp('not_a_file', `${path} is no plain file`)
        if (stat.size > FILE_BYTES_MAX) throw tooLarge(path)
        const bytes = await file.readFile()
        // It may have grown since.
        if (bytes.length > FILE_BYTES_MAX) throw tooLarge(path)
        return { path, bytes: bytes.length, content: textOf(bytes, encoding, path) }
      } finally {
        await file.close()
      }
    })
  },
})

export const write = defineService({
  name: 'file.write',
  version: '1.0.0',
  description: 'Writes a small file inside the folder of file.*, whole or not at all.',
  input: {
    type: 'object',
    required: ['path', 'content'],
    properties: {
      path: PATH,
      content: { type: 'string' },
      encoding: ENCODING,
      makeFolders: { type: 'boolean' },
    },
    additionalProperties: false,
  },
  async run({ path, content, encoding = 'utf8', makeFolders = false }, ctx) {
    const bytes = bytesOf(content, encoding)
    if (bytes.length > FILE_BYTES_MAX) throw tooLarge(path)
    return told(path, async () => {
      if (makeFolders) await makeFoldersInside(path, (folder) => rootedPath(ctx, folder))
      const target = await rootedPath(ctx, path)
      const found = await lstat(target.full).catch(() => null)
      if (found !== null && !found.isFile()) throw giveUp('not_a_file', `${path} is no plain file`)
      const name = `${target.full}.${randomBytes(6).toString('hex')}.tmp`
      const file = await openInside(
        { ...target, full: name },
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
      )
      try {
        await file.writeFile(bytes)
        await file.sync()
        await file.close()
        ctx.signal.throwIfAborted()
        await rename(name, target.full)
      } catch (error) {
        await file.close().catch(() => {})
        await rm(name, { force: true })
        throw error
      }
      return { path, bytes: bytes.length }
    })
  },
})

export const list = defineService({
  name: 'file.list',
  version: '1.0.0',
  description: 'Lists a folder inside the folder of file.*.',
  input: {
    type: 'object',
    required: ['path'],
    properties: { path: PATH },
    additionalProperties: false,
  },
  async run({ path }, ctx) {
    return told(path, async () => {
      const { full } = await rootedPath(ctx, path)
      if ((await lstat(full)).isSymbolicLink()) throw giveUp('not_a_folder', `${path} is a link`)
      const found = await readdir(full, { withFileTypes: true })
      const entries = found
        .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const more = Math.max(0, entries.length - ENTRIES_MAX)
      return { path, entries: entries.slice(0, ENTRIES_MAX), more }
    })
  },
})

export const remove = defineService({
  name: 'file.delete',
  version: '1.0.0',
  description: 'Deletes a file, a link or an empty folder inside the folder of file.*.',
  input: {
    type: 'object',
    required: ['path'],
    properties: { path: PATH },
    additionalProperties: false,
  },
  async run({ path }, ctx) {
    return told(path, async () => {
      const { root, full } = await rootedPath(ctx, path)
      if (full === root) throw giveUp('path_refused', 'the folder of file.* itself is not deleted')
      const found = await lstat(full).catch(missing)
      if (found === null) return { path, deleted: false }
      await (found.isDirectory() ? rmdir(full) : unlink(full))
      return { path, deleted: true }
    })
  },
})

/** One after the other, each below a folder that was looked at. */
async function makeFoldersInside(
  path: string,
  resolve: (path: string) => Promise<{ readonly full: string }>,
): Promise<void> {
  const parts = dirname(posix.normalize(path)).split('/')
  for (let count = 1; count <= parts.length; count += 1) {
    const { full } = await resolve(parts.slice(0, count).join('/'))
    await mkdir(full).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
  }
}

function kindOf(entry: Dirent): 'file' | 'folder' | 'link' | 'other' {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

function missing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw error
}

/** What the file system says, in words that tell whether another try may help. No host paths. */
async function told<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const code = codeOf(error)
    if (error instanceof ServiceError || code === null) throw error
    if (code === 'ENOENT') throw giveUp('file_not_found', `there is no ${path}`)
    if (code === 'ELOOP') throw giveUp('path_refused', `${path} is a link, which is not followed`)
    if (PERMANENT.has(code)) throw giveUp('file_failed', `${path}: ${code}`)
    throw retryLater('file_failed', `${path}: ${code}`)
  }
}

const PERMANENT = new Set([
  'EACCES',
  'EPERM',
  'ENOTDIR',
  'EISDIR',
  'ENOTEMPTY',
  'ENAMETOOLONG',
  'EROFS',
])

function codeOf(error: unknown): string | null {
  const isSystem = error instanceof Error && 'code' in error && 'syscall' in error
  return isSystem ? String(error.code) : null
}

function tooLarge(path: string): ServiceError {
  return giveUp('file_too_large', `${path} is larger than ${FILE_BYTES_MAX} bytes`)
}
