import { defineService } from '../sdk/index.js'
import { IndexReader } from './index-reader.js'
import { PATH_SCHEMA, WorkFolder } from './work-folder.js'

/** `text.report`: says what an index holds, and clears away what only its making needed. */
export const report = defineService({
  name: 'text.report',
  version: '1.0.0',
  description: 'Sums an index up: files, bytes, words, the most frequent ones.',
  input: {
    type: 'object',
    properties: { out: PATH_SCHEMA, index: PATH_SCHEMA },
    required: ['out', 'index'],
  },
  concurrency: 4,
  async run({ out, index }, ctx) {
    const reader = await IndexReader.open(index)
    try {
      const { files, bytes, words, terms, top } = reader.summary
      const work = new WorkFolder(out, ctx)
      await work.removeFolder(work.parts)
      await work.removeFolder(work.chunks)
      return { index, files, bytes, words, terms, top }
    } finally {
      await reader.close()
    }
  },
})
