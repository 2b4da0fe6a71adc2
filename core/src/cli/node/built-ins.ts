/** Modules that every node offers beside its plugins: services for trying things, and the catalog. */
const BUILT_IN_MODULES = [
  '@gyre/workers/test-services',
  '@gyre/workers/text',
  '@gyre/workers/file',
  '@gyre/workers/http',
  '@gyre/workers/shell',
  '@gyre/workers/shop',
  '@gyre/jobs/catalog',
] as const

/** Their URLs, from the copy that this node itself uses. */
export function builtInModules(): string[] {
  return BUILT_IN_MODULES.map((name) => import.meta.resolve(name))
}
