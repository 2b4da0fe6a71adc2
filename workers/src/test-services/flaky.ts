import { defineService, retryLater } from '../sdk/index.js'

/** `test.flaky {failures}` fails its first `failures` attempts; it counts by the attempt's number. */
export const flaky = defineService({
  name: 'test.flaky',
  version: '1.0.0',
  description: 'Fails its first `failures` attempts, then returns the number of the one that did.',
  input: {
    type: 'object',
    properties: { failures: { type: 'integer', minimum: 0 } },
    required: ['failures'],
  },
  run({ failures }, { attempt }) {
    if (attempt > failures) return { attempt }
    throw retryLater('test_flaky', `attempt ${attempt} of ${failures} that shall fail`)
  },
  compensate: () => ({ undone: true }),
})
