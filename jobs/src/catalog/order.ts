import { defineJob } from '../spec/define-job.js'

/** Nothing is retried for long: an order is waited for. */
const retry = { attempts: 3, delay: '100ms', factor: 2, maxDelay: '1s' }

/**
 * Reserve, charge, ship. `failing` says which service shall fail, how often, and whether for good; a
 * step that fails for good has the steps before it undone in reverse order.
 *
 * Each member of `failing` is given, empty or not, since a pointer that leads nowhere fails its step.
 */
export const order = defineJob({
  name: 'order',
  description: 'An order of a small shop; undone in reverse order when a step fails for good.',
  input: {
    type: 'object',
    properties: {
      sku: { type: 'string', minLength: 1 },
      quantity: { type: 'integer', minimum: 1 },
      amount: { type: 'number', minimum: 0 },
      card: { type: 'string', minLength: 1 },
      address: { type: 'string', minLength: 1 },
      failing: {
        type: 'object',
        properties: {
          reserve: { $ref: '#/$defs/failing' },
          charge: { $ref: '#/$defs/failing' },
          ship: { $ref: '#/$defs/failing' },
        },
      },
    },
    required: ['sku', 'quantity', 'amount', 'card', 'address'],
    $defs: {
      failing: {
        type: 'object',
        properties: {
          attempts: { type: 'integer', minimum: 1 },
          permanently: { type: 'boolean' },
        },
      },
    },
  },
  steps: {
    reserve: { service: 'stock.reserve', retry, input: { $from: '/input' } },
    charge: { service: 'card.charge', needs: ['reserve'], retry, input: { $from: '/input' } },
    ship: { service: 'parcel.ship', needs: ['charge'], retry, input: { $from: '/input' } },
  },
  output: {
    reservation: { $from: '/steps/reserve/output/reservation' },
    charge: { $from: '/steps/charge/output/charge' },
    tracking: { $from: '/steps/ship/output/tracking' },
  },
})
