import { readFileSync } from 'node:fs'

/** Version of this package, as its package.json says. */
export const VERSION: string = readVersion()

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  const content: { readonly version?: unknown } = JSON.parse(readFileSync(file, 'utf8'))
  return String(content.version)
}
