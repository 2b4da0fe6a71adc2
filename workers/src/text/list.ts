import { resolve } from 'node:path'
import { defineService, giveUp } from '../sdk/index.js'
import * as limits from './limits.js'
import { type FoundFile, type Skipped, walk } from './walk.js'
import { contentHash, PATH_SCHEMA, WorkFolder } from './work-folder.js'

/** `text.list`: walks a folder and writes lists of files, each a piece of work of its own. */
export const list = defineService({
  name: 'text.list',
  version: '1.0.0',
  description: 'Lists the files of a folder and cuts the list into chunks.',
  input: {
    type: 'object',
    properties: {
      folder: PATH_SCHEMA,
      out: PATH_SCHEMA,
      endings: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 100 },
        maxItems: 100,
      },
      chunkBytes: { type: 'integer', minimum: 1024, maximum: limits.CHUNK_BYTES_MAX },
    },
    required: ['folder', 'out'],
  },
  timeout: '10m',
  concurrency: 4,
  async run({ folder, out, endings, chunkBytes = limits.CHUNK_BYTES_DEFAULT }, ctx) {
    const skipped = { links: 0, special: 0, unreadable: 0, tooDeep: 0, tooLarge: 0 }
    const files = await findFiles({
      folder,
      out,
      endings: endings ?? [],
      skipped,
      signal: ctx.signal,
    })
    const chunks = cutIntoChunks(files, chunkBytes)
    const work = new WorkFolder(out, ctx)
    await work.create()
    const names: string[] = []
    for (const chunk of chunks) {
      ctx.signal.throwIfAborted()
      const text = JSON.stringify({ files: chunk.map(({ path, bytes }) => [path, bytes]) })
      const name = contentHash(text)
      await work.writeText(work.chunks, `${name}.json`, text)
      names.push(name)
    }
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return { chunks: names, files: files.length, bytes, skipped }
  },
  async compensate({ out }, _output, ctx) {
    await new WorkFolder(out, ctx).removeEverything()
    return { removed: true }
  },
})

async function findFiles(options: {
  folder: string
  out: string
  endings: readonly string[]
  skipped: Skipped & { tooLarge: number }
  signal: AbortSignal
}): Promise<FoundFile[]> {
  const { folder, out, skipped, signal } = options
  const endings = options.endings.map((ending) => ending.toLowerCase())
  const files: FoundFile[] = []
  try {
    for await (const file of walk(folder, { except: resolve(out), skipped, signal })) {
      if (!isWanted(file.path, endings)) continue
      if (file.bytes > limits.FILE_BYTES_MAX) skipped.tooLarge += 1
      else files.push(file)
      if (files.length > limits.FILES_MAX) throw tooLarge(`more than ${limits.FILES_MAX} files`)
    }
  } catch (error) {
    if (isMissing(error)) throw giveUp('folder_unreadable', `there is no folder ${folder} to read`)
    throw error
  }
  return files
}

function isWanted(path: string, endings: readonly string[]): boolean {
  if (endings.length === 0) return true
  const lower = path.toLowerCase()
  return endings.some((ending) => lower.endsWith(ending))
}

/** Grows the chunks of a large folder rather than their number, up to a size that is safe to count. */
function cutIntoChunks(files: readonly FoundFile[], chunkBytes: number): FoundFile[][] {
  for (let target = chunkBytes; ; target *= 2) {
    const chunks = cut(files, Math.min(target, limits.CHUNK_BYTES_MAX))
    if (chunks.length <= limits.CHUNKS_MAX) return chunks
    if (target >= limits.CHUNK_BYTES_MAX) throw tooLarge(`more than ${limits.CHUNKS_MAX} chunks`)
  }
}

function cut(files: readonly FoundFile[], targetBytes: number): FoundFile[][] {
  const chunks: FoundFile[][] = []
  let chunk: FoundFile[] = []
  let bytes = 0
  for (const file of files) {
    const isFull = bytes + file.bytes > targetBytes || chunk.length >= limits.CHUNK_FILES_MAX
    if (isFull && chunk.length > 0) {
      chunks.push(chunk)
      chunk = []
      bytes = 0
    }
    chunk.push(file)
    bytes += file.bytes
  }
  if (chunk.length > 0) chunks.push(chunk)
  return chunks
}

function tooLarge(what: string): Error {
  const message = `the folder holds ${what}; index its subfolders one by one, or choose endings`
  return giveUp('folder_too_large', message)
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(String(error.code))
}
