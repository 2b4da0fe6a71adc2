import { ServiceError } from '../sdk/index.js'

const ONE_SCHEMA = {
  type: 'object',
  properties: {
    attempts: { type: 'integer', minimum: 1 },
    permanently: { type: 'boolean' },
  },
} as const

/** How an order asks its services to fail: which one, how often, and whether for good. */
export const FAILING_SCHEMA = {
  type: 'object',
  properties: { reserve: ONE_SCHEMA, charge: ONE_SCHEMA, ship: ONE_SCHEMA },
} as const

export type Verb = 'reserve' | 'charge' | 'ship'
export type Failing = Readonly<Partial<Record<Verb, Failure>>>

interface Failure {
  readonly attempts?: number
  readonly permanently?: boolean
}

/** Fails the first `attempts` attempts (all, where it says nothing), and for good if so asked. */
export function failIfAsked(verb: Verb, failing: Failing | undefined, attempt: number): void {
  const failure = failing?.[verb]
  if (failure === undefined || attempt > (failure.attempts ?? Number.POSITIVE_INFINITY)) return
  throw new ServiceError('shop_unavailable', `nobody answers to "${verb}" (attempt ${attempt})`, {
    retryable: failure.permanently !== true,
  })
}
