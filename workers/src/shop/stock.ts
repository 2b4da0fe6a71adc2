import { defineService } from '../sdk/index.js'
import { FAILING_SCHEMA, failIfAsked } from './failing.js'

const SKU_SCHEMA = { type: 'string', minLength: 1, maxLength: 100 } as const

/** `stock.reserve`: puts pieces aside; undone by releasing them. */
export const reserve = defineService({
  name: 'stock.reserve',
  version: '1.0.0',
  description: 'Puts pieces of an article aside for an order.',
  input: {
    type: 'object',
    properties: {
      sku: SKU_SCHEMA,
      quantity: { type: 'integer', minimum: 1 },
      failing: FAILING_SCHEMA,
    },
    required: ['sku'],
  },
  timeout: '10s',
  run({ sku, quantity = 1, failing }, ctx) {
    failIfAsked('reserve', failing, ctx.attempt)
    // Derived from the idempotency key: a repeated attempt makes the same reservation, not a second.
    return { reservation: `reservation-${ctx.idempotencyKey}`, sku, quantity }
  },
  compensate(_input, output) {
    return { released: output?.reservation ?? null }
  },
})

/** `stock.release`: the same undo as a service of its own, for jobs that name it. */
export const release = defineService({
  name: 'stock.release',
  version: '1.0.0',
  description: 'Gives reserved pieces back; giving back twice, or nothing, is no matter.',
  input: { type: 'object', properties: { reservation: { type: ['string', 'null'] } } },
  timeout: '10s',
  run: ({ reservation = null }) => ({ released: reservation }),
})
