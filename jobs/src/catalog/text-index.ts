import { defineJob } from '../spec/define-job.js'

/**
 * Indexes the text files of a folder: list → count each chunk → merge → report. Partial results are
 * files below `out`, so that outputs stay small. Fails half-way: what it wrote is removed again.
 */
export const textIndex = defineJob({
  name: 'text-index',
  description: 'Indexes the text files of a folder, for text.search.',
  input: {
    type: 'object',
    properties: {
      folder: { type: 'string', minLength: 1 },
      out: { type: 'string', minLength: 1 },
      endings: { type: 'array', items: { type: 'string' } },
      chunkBytes: { type: 'integer', minimum: 1024 },
    },
    required: ['folder', 'out'],
    additionalProperties: false,
  },
  steps: {
    list: { service: 'text.list', input: { $from: '/input' } },
    count: {
      service: 'text.count',
      forEach: { $from: '/steps/list/output/chunks' },
      concurrency: 8,
      input: {
        folder: { $from: '/input/folder' },
        out: { $from: '/input/out' },
        chunk: { $from: '/item' },
      },
    },
    merge: {
      service: 'text.merge',
      input: { out: { $from: '/input/out' }, parts: { $from: '/steps/count/output' } },
    },
    report: {
      service: 'text.report',
      input: { out: { $from: '/input/out' }, index: { $from: '/steps/merge/output/index' } },
    },
  },
  output: { $from: '/steps/report/output' },
})
