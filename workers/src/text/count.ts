import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineService, giveUp } from '../sdk/index.js'
import { ChunkCounts } from './chunk-counts.js'
import { contentHash, HASH_SCHEMA, PATH_SCHEMA, WorkFolder } from './work-folder.js'
import { readTextFile } from './read-text-file.js'

/** `text.count`: counts the words of one chunk of files and writes them to a part file. */
export const count = defineService({
  name: 'text.count',
  version: '1.0.0',
  description: 'Counts the words of one chunk of files.',
  input: {
    type: 'object',
    properties: { folder: PATH_SCHEMA, out: PATH_SCHEMA, chunk: HASH_SCHEMA },
    required: ['folder', 'out', 'chunk'],
  },
  timeout: '5m',
  concurrency: 2,
  async run({ folder, out, chunk }, ctx) {
    const work = new WorkFolder(out, ctx)
    const counts = new ChunkCounts()
    const skipped = { binary: 0, unreadable: 0 }
    for (const [path] of await readChunk(join(work.chunks, `${chunk}.json`))) {
      ctx.signal.throwIfAborted()
      counts.beginDoc()
      const read = await readTextFile(join(folder, path), ctx.signal, (text) => counts.add(text))
      if (read.ok) counts.endDoc(path, read.bytes)
      else {
        counts.dropDoc()
        skipped[read.reason] += 1
      }
    }
    const text = counts.toText()
    const part = `${chunk}-${contentHash(text)}`
    await work.writeText(work.parts, `${part}.txt`, text)
    return { part, files: counts.docCount, bytes: counts.bytes, skipped }
  },
  /** By the chunk's name, not the output's: an attempt that was cut off leaves no output. */
  async compensate({ out, chunk }, _output, ctx) {
    const work = new WorkFolder(out, ctx)
    return { removed: await work.removeAll(work.parts, chunk) }
  },
})

type ChunkFile = readonly [path: string, bytes: number]

async function readChunk(path: string): Promise<readonly ChunkFile[]> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) {
    throw giveUp('chunk_missing', 'the list of files is gone from the out folder; submit again')
  }
  const { files } = JSON.parse(text) as { files: readonly ChunkFile[] }
  return files
}
