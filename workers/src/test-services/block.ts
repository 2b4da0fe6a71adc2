import { defineService } from '../sdk/index.js'

/** `test.block {ms}` computes without a pause: what a handler should not do. */
export const block = defineService({
  name: 'test.block',
  version: '1.0.0',
  description: 'Blocks its thread for `ms` milliseconds: what a handler should not do.',
  input: {
    type: 'object',
    properties: { ms: { type: 'number', minimum: 0 } },
    required: ['ms'],
  },
  run({ ms }) {
    const until = performance.now() + ms
    while (performance.now() < until);
    return { blocked: ms }
  },
})
