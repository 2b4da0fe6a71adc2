import { readFileSync } from 'node:fs'
import type { HandlerSettings } from '../adapters/services/handler-settings.js'
import { usageError } from './cli-error.js'

export interface SettingsOptions {
  /** A file of JSON, or the JSON itself (as an object in gyre.config.* arrives). */
  readonly workerConfig?: string
  readonly workerSecrets?: string
}

const SECRET_PREFIX = 'GYRE_SECRET_'

/**
 * What handlers get of the node's configuration. A secret in the environment wins over one of the same
 * name in the file: that is where orchestrators put them.
 *
 * @throws CliError without the values, which may be secret
 */
export function readHandlerSettings(
  { workerConfig, workerSecrets }: SettingsOptions,
  environment: Readonly<Record<string, string | undefined>>,
): HandlerSettings {
  const config = workerConfig === undefined ? {} : readObject(workerConfig, '--worker-config')
  const fromFile = workerSecrets === undefined ? {} : readObject(workerSecrets, '--worker-secrets')
  const secrets = new Map<string, string>()
  for (const [name, value] of Object.entries(fromFile)) {
    if (typeof value !== 'string') {
      throw usageError(`The secret ${name} of --worker-secrets is not a text.`)
    }
    secrets.set(name, value)
  }
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(SECRET_PREFIX) || value === undefined) continue
    secrets.set(variable.slice(SECRET_PREFIX.length), value)
  }
  return { config, secrets: Object.fromEntries(secrets) }
}

function readObject(text: string, flag: string): HandlerSettings['config'] {
  const isInline = text.trimStart().startsWith('{')
  let value: unknown
  try {
    value = JSON.parse(isInline ? text : readFileSync(text, 'utf8'))
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause
    const why = isMissing ? 'it cannot be read' : 'it is not JSON'
    throw usageError(`The file of ${flag} cannot be used: ${why}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`expected an object of names and values for ${flag}.`)
  }
  return { ...value } as HandlerSettings['config']
}
