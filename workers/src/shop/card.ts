import { defineService } from '../sdk/index.js'
import { FAILING_SCHEMA, failIfAsked } from './failing.js'

/** `card.charge`: takes money; undone by a refund. */
export const charge = defineService({
  name: 'card.charge',
  version: '1.0.0',
  description: 'Charges a card.',
  input: {
    type: 'object',
    properties: {
      amount: { type: 'number', minimum: 0 },
      card: { type: 'string', minLength: 1, maxLength: 100 },
      failing: FAILING_SCHEMA,
    },
    required: ['amount'],
  },
  timeout: '10s',
  run({ amount, failing }, ctx) {
    failIfAsked('charge', failing, ctx.attempt)
    return { charge: `charge-${ctx.idempotencyKey}`, amount }
  },
  compensate({ amount }, output) {
    return output === null ? { refunded: 0 } : { refunded: amount, charge: output.charge }
  },
})
