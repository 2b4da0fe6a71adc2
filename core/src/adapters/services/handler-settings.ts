import type { Json } from '@gyre/jobs'
import { type ServiceSecrets, ServiceError } from '@gyre/workers'
import { SECRET_CHARS_MIN } from './limits.js'

/** What the node's owner gives to handlers; never from inputs. */
export interface HandlerSettings {
  readonly config: Readonly<Record<string, Json>>
  readonly secrets: Readonly<Record<string, string>>
}

export const NO_SETTINGS: HandlerSettings = { config: {}, secrets: {} }

/** A handler that writes into the configuration would change it for its neighbours. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}

export function secretsOf({ secrets }: HandlerSettings): ServiceSecrets {
  return Object.freeze({
    has: (name: string) => Object.hasOwn(secrets, name),
    get: (name: string) => {
      const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined
      if (secret !== undefined) return secret
      const remedy = `set GYRE_SECRET_${name}, or name it in the file of --worker-secrets`
      throw new ServiceError('secret_missing', `the node has no secret ${name}; ${remedy}`, {
        retryable: false,
      })
    },
  })
}

const STRUCK_OUT = '[secret]'

/**
 * Strikes the values of secrets out of what leaves a handler for people: log lines and errors. Short ones
 * are left: they would be found in every other word, and give themselves away by what is missing.
 */
export function redactor({ secrets }: HandlerSettings): (text: string) => string {
  const values = Object.values(secrets)
    .filter((secret) => secret.length >= SECRET_CHARS_MIN)
    // In JSON a secret may look otherwise.
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .sort((a, b) => b.length - a.length)
  if (values.length === 0) return (text) => text
  return (text) => values.reduce((left, secret) => left.replaceAll(secret, STRUCK_OUT), text)
}
