import { defineService } from '../sdk/index.js'
import { FAILING_SCHEMA, failIfAsked } from './failing.js'

/** `parcel.ship`: hands a parcel over; what is on its way cannot be undone. */
export const ship = defineService({
  name: 'parcel.ship',
  version: '1.0.0',
  description: 'Hands a parcel to the carrier.',
  input: {
    type: 'object',
    properties: {
      address: { type: 'string', minLength: 1, maxLength: 500 },
      failing: FAILING_SCHEMA,
    },
    required: ['address'],
  },
  timeout: '10s',
  run({ failing }, ctx) {
    failIfAsked('ship', failing, ctx.attempt)
    return { tracking: `tracking-${ctx.idempotencyKey}` }
  },
})
