import type { PluginFailure } from '../protocol/node/messages.js'

/**
 * A plugin's failure as strangers may see it: its first line, without where files stand on this host
 * and without "Require stack". The node's log has all of it.
 */
export function publicFailure({ file, error }: PluginFailure): PluginFailure {
  const [message = ''] = error.message.split(/[\r\n]/, 1)
  return {
    file: nameOf(file),
    error: { ...error, message: namesOnly(message, error.code) },
  }
}

const FILE_URL = /file:\/\/[^\s'"`),;]+/g
/** Two or more segments from the root, at the beginning or behind a space, a quote or a bracket. */
const HOST_PATH = /(?<=^|[\s'"`(=[])(?:[A-Za-z]:)?[\\/][^\s'"`),;:]*[\\/][^\s'"`),;:]+/g

function namesOnly(message: string, code: string): string {
  const text = message.replaceAll(FILE_URL, nameOf)
  // What is wrong with a definition is told by JSON pointers, which look like paths.
  return code.startsWith('definition_') ? text : text.replaceAll(HOST_PATH, nameOf)
}

/** `file:///srv/plugins/stock.ts:3` → `stock.ts:3`. */
function nameOf(path: string): string {
  return /^(?:file:|[\\/]|[A-Za-z]:)/.test(path) ? (path.split(/[\\/]/).at(-1) ?? '') : path
}
