import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PLUGIN_FILES_MAX } from './limits.js'
import { messageOf } from './outcome.js'
import type { PluginSources } from './thread-messages.js'

/** A module to load. */
export interface PluginModule {
  /** What is imported: a package's name or a file's URL. Names the module for good. */
  readonly url: string
  /** What people see: a package's name, or a file name inside its plugin folder. */
  readonly file: string
}

export interface PluginFiles {
  readonly modules: readonly PluginModule[]
  readonly failures: readonly { readonly file: string; readonly message: string }[]
}

/** The built-ins by name, then each folder's plugin files in order of their names. */
export function findPlugins(sources: PluginSources): PluginFiles {
  const modules: PluginModule[] = sources.modules.map((url) => ({ url, file: shortName(url) }))
  const failures: { file: string; message: string }[] = []
  for (const folder of sources.folders) {
    const path = resolve(folder)
    try {
      const names = pluginNames(path)
      modules.push(...names.map((file) => ({ url: pathToFileURL(join(path, file)).href, file })))
    } catch (error) {
      const message = `the plugin folder cannot be read: ${messageOf(error)}; check its path`
      failures.push({ file: folder.split('/').at(-1) ?? folder, message })
    }
  }
  return { modules, failures }
}

/** Where a module stands on this host is cut off: `text/index.js`. */
function shortName(url: string): string {
  return url.startsWith('file:') ? url.split('/').slice(-2).join('/') : url
}

function pluginNames(folder: string): string[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && isPluginName(entry.name))
    .map((entry) => entry.name)
    .sort()
  if (names.length <= PLUGIN_FILES_MAX) return names
  throw new Error(`it holds ${names.length} plugin files, more than ${PLUGIN_FILES_MAX}`)
}

/** `*.ts`, `*.js`, `*.mjs`; no tests, no declarations, no hidden files. */
function isPluginName(name: string): boolean {
  if (name.startsWith('.') || name.endsWith('.d.ts')) return false
  return /\.(?:ts|js|mjs)$/.test(name) && !/\.test\.[a-z]+$/.test(name)
}

export function isTypeScript(url: string): boolean {
  return url.startsWith('file:') && url.endsWith('.ts')
}
