import { defineService, ServiceError } from '../sdk/index.js'

/** `test.fail {message?, retryable?}` fails each attempt. */
export const fail = defineService({
  name: 'test.fail',
  version: '1.0.0',
  description: 'Fails each attempt, with the message it is given.',
  input: {
    type: 'object',
    properties: { message: { type: 'string' }, retryable: { type: 'boolean' } },
  },
  run({ message = 'test.fail was asked to fail', retryable = true }): null {
    throw new ServiceError('test_failed', message, { retryable })
  },
})
