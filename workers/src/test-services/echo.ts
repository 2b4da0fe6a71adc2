import { defineService } from '../sdk/index.js'

/** `test.echo {…}` returns its input; its compensation shows in the job's history. */
export const echo = defineService({
  name: 'test.echo',
  version: '1.0.0',
  description: 'Returns its input.',
  run: (input) => input,
  compensate: () => ({ undone: true }),
})
