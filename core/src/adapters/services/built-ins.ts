/**
 * The services and jobs that every node has, as names of modules: they are loaded like any plugin, so
 * that core depends on none of them.
 */
export const BUILT_IN_MODULES: readonly string[] = [
  '@gyre/workers/test-services',
  '@gyre/workers/text',
  '@gyre/workers/shop',
  '@gyre/jobs/catalog',
]
