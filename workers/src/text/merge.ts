import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { defineService, giveUp } from '../sdk/index.js'
import { CHUNKS_MAX } from './limits.js'
import { mergeIntoIndex } from './merge-parts.js'
import { PATH_SCHEMA, WorkFolder } from './work-folder.js'

const PART_SCHEMA = {
  type: 'object',
  properties: { part: { type: 'string', pattern: '^[0-9a-f]{32}-[0-9a-f]{32}$' } },
  required: ['part'],
} as const

/** `text.merge`: merges the parts of all chunks into one index file. */
export const merge = defineService({
  name: 'text.merge',
  version: '1.0.0',
  description: 'Merges the counted parts into one index file.',
  input: {
    type: 'object',
    properties: {
      out: PATH_SCHEMA,
      parts: { type: 'array', items: PART_SCHEMA, maxItems: CHUNKS_MAX },
    },
    required: ['out', 'parts'],
  },
  timeout: '30m',
  concurrency: 1,
  async run({ out, parts }, ctx) {
    const work = new WorkFolder(out, ctx)
    const paths = parts.map(({ part }) => join(work.parts, `${part}.txt`))
    await allThere(paths)
    await mkdir(work.merges, { recursive: true })
    const draft = work.draft(work.path, 'index')
    const { signal } = ctx
    const totals = await mergeIntoIndex(paths, { folder: work.merges, index: draft, signal })
    const name = `index-${await hashOfFile(draft)}.txt`
    await work.publish(draft, work.path, name)
    await work.removeFolder(work.merges)
    const { files, bytes, terms } = totals.summary
    return { index: join(work.path, name), files, bytes, terms }
  },
  async compensate({ out }, _output, ctx) {
    const work = new WorkFolder(out, ctx)
    await work.removeFolder(work.merges)
    return { removed: await work.removeAll(work.path, 'index') }
  },
})

async function allThere(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) continue
    throw giveUp('part_missing', 'a counted part is gone from the out folder; submit again')
  }
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of createReadStream(path)) hash.update(block as Buffer)
  return hash.digest('hex').slice(0, 32)
}
