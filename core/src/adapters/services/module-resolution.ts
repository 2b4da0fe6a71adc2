import module from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/**
 * Lets plugins anywhere on the disk `import '@gyre/workers'` and `'@gyre/jobs'`: where their own
 * folder has no copy, this node's is taken. Both ways of loading are covered, `import` by a resolve
 * hook and `require` by a global folder; a plugin's own copy always wins.
 */
export function resolveOwnPackages(): void {
  const hook = `
    export async function resolve(specifier, context, next) {
      try {
        return await next(specifier, context)
      } catch (error) {
        if (!/^@gyre\\/(?:workers|jobs)(?:\\/|$)/.test(specifier)) throw error
        if (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND') throw error
        return next(specifier, { ...context, parentURL: ${JSON.stringify(import.meta.url)} })
      }
    }`
  module.register(`data:text/javascript,${encodeURIComponent(hook)}`)
  addGlobalFolder(nodeModulesOf('@gyre/workers'))
}

/** The way of NODE_PATH, which Node reads again only through this function of old standing. */
function addGlobalFolder(folder: string): void {
  const before = process.env['NODE_PATH']
  process.env['NODE_PATH'] = before === undefined ? folder : `${before}:${folder}`
  const { Module } = module as unknown as { Module: { _initPaths?: () => void } }
  Module._initPaths?.()
  if (before === undefined) delete process.env['NODE_PATH']
  else process.env['NODE_PATH'] = before
}

function nodeModulesOf(name: string): string {
  const entry = module.createRequire(import.meta.url).resolve.paths(name)
  const folders = entry ?? []
  for (const folder of folders) {
    const probe = module.createRequire(pathToFileURL(`${folder}/x.js`))
    try {
      probe.resolve(`${folder}/${name}/package.json`)
      return folder
    } catch {
      // Not here; the next folder up is asked.
    }
  }
  return fileURLToPath(new URL('.', import.meta.url))
}

/** A module of TypeScript; tsx is loaded with the first one, so that built plugins never need it. */
export async function importTypeScript(url: string): Promise<unknown> {
  const { tsImport } = await import('tsx/esm/api')
  return tsImport(url, import.meta.url)
}
