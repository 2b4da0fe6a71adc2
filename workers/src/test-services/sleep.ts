import { setTimeout as wait } from 'node:timers/promises'
import { defineService } from '../sdk/index.js'

const SLEEP_MS_MAX = 24 * 3600 * 1000

/** `test.sleep {ms}` waits without holding the thread, and stops at once when it shall. */
export const sleep = defineService({
  name: 'test.sleep',
  version: '1.0.0',
  description: 'Waits for `ms` milliseconds without blocking anybody.',
  input: {
    type: 'object',
    properties: { ms: { type: 'number', minimum: 0, maximum: SLEEP_MS_MAX } },
    required: ['ms'],
  },
  timeout: '1d',
  concurrency: 1000,
  async run({ ms }, { signal }) {
    await wait(ms, undefined, { signal })
    return { slept: ms }
  },
})
