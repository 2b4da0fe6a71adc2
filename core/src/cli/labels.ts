import { usageError } from './cli-error.js'

/** Labels as flags give them, `key=value`; a value may hold further equals signs. */
export function parseLabels(given: readonly string[]): (readonly [key: string, value: string])[] {
  return given.map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw usageError(`--label ${text}: expected KEY=VALUE, for example team=billing.`)
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
}
