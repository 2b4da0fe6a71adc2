import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { isTest, read, sourceFiles, withoutComments } from './repository.js'

/**
 * What a layer may import of ours. `types` are for types only. The longest matching folder decides;
 * a layer may always import itself.
 */
interface Layer {
  readonly folder: string
  readonly imports: readonly string[]
  readonly types?: readonly string[]
}

const LAYERS: readonly Layer[] = [
  { folder: 'jobs/src', imports: [] },
  { folder: 'workers/src/sdk', imports: ['jobs/src'] },
  { folder: 'workers/src', imports: ['workers/src/sdk', 'jobs/src'] },
  { folder: 'core/src/base', imports: [] },
  { folder: 'core/src/protocol/ring', imports: ['core/src/base'] },
  { folder: 'core/src/protocol/raft', imports: ['core/src/base'] },
  { folder: 'core/src/protocol/state', imports: ['core/src/base'] },
  {
    folder: 'core/src/protocol/ledger',
    imports: ['core/src/base', 'jobs/src', 'core/src/protocol/state'],
    // The ledger's outputs are messages of the node, so it knows their shapes.
    types: ['core/src/protocol/node'],
  },
  {
    folder: 'core/src/protocol/node',
    imports: ['core/src/base', 'jobs/src', 'core/src/protocol'],
  },
  { folder: 'core/src/ports', imports: ['core/src/base'], types: ['core/src/protocol'] },
  {
    folder: 'core/src/runtime',
    imports: ['core/src/base', 'core/src/ports', 'core/src/protocol'],
  },
  {
    folder: 'core/src/adapters',
    imports: [
      'core/src/base',
      'core/src/ports',
      'jobs/src',
      'workers/src/sdk',
      // The one piece of protocol that a link between threads needs: how a turn is packed.
      'core/src/protocol/node/turn-codec.ts',
    ],
    types: ['core/src/protocol'],
  },
  {
    folder: 'core/src/api',
    imports: ['core/src/base', 'jobs/src', 'core/src/runtime'],
    types: ['core/src/protocol'],
  },
  { folder: 'core/src', imports: ['core/src', 'jobs/src', 'workers/src/sdk'] },
]

/** Packages of ours by name, and the folder that the name stands for. */
const PACKAGES: Readonly<Record<string, string>> = {
  '@gyre/jobs': 'jobs/src',
  '@gyre/jobs/catalog': 'jobs/src/catalog',
  '@gyre/workers': 'workers/src/sdk',
  '@gyre/workers/text': 'workers/src/text',
  '@gyre/workers/test-services': 'workers/src/test-services',
}

interface Import {
  readonly target: string
  readonly typesOnly: boolean
}

const IMPORT =
  /(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/g

function importsOf(path: string): Import[] {
  return [...withoutComments(read(path)).matchAll(IMPORT)].flatMap((match) => {
    const target = resolve(path, match[3] ?? match[4] ?? '')
    const names = match[2]?.trim() ?? ''
    const allTypes = /^\{\s*(type\s+\w+(\s+as\s+\w+)?\s*,?\s*)+\}$/.test(names)
    return target === null ? [] : [{ target, typesOnly: match[1] !== undefined || allTypes }]
  })
}

/** The file that a specifier of ours means, relative to the root; null for other packages. */
function resolve(path: string, specifier: string): string | null {
  if (specifier.startsWith('.')) {
    return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
  }
  return PACKAGES[specifier] ?? (specifier.startsWith('@gyre/') ? specifier : null)
}

const isIn = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`)

function mayImport(layer: Layer, { target, typesOnly }: Import): boolean {
  if (isIn(target, layer.folder)) return true
  const allowed = typesOnly ? [...layer.imports, ...(layer.types ?? [])] : layer.imports
  return allowed.some((folder) => isIn(target, folder))
}

function violationsOf(path: string): string[] {
  const layer = LAYERS.find(({ folder }) => isIn(path, folder))
  if (layer === undefined) return [`${path} belongs to no layer`]
  return importsOf(path)
    .filter((imported) => !mayImport(layer, imported))
    .map(({ target, typesOnly }) => `${path} imports ${typesOnly ? 'types of ' : ''}${target}`)
}

const production = sourceFiles().filter((path) => !isTest(path))

test('imports go down the layers only', () => {
  const violations = production.flatMap(violationsOf)
  assert.deepEqual(
    violations,
    [],
    `Remedy: move the code to the layer that may know both, or pass it in; the table is in
test/tidy/layers.test.ts and in ARCHITECTURE.md.\n${violations.join('\n')}`,
  )
})

test('production code imports neither tests nor internals of a package', () => {
  const violations = production.flatMap((path) =>
    importsOf(path)
      .filter(({ target }) => isTest(target) || target.startsWith('@gyre/'))
      .map(({ target }) => `${path} imports ${target}`),
  )
  assert.deepEqual(
    violations,
    [],
    `Remedy: import @gyre/jobs and @gyre/workers by their public names; put test hooks into base/.\n` +
      violations.join('\n'),
  )
})

test('no two files need each other to load, not even through others', () => {
  const graph = new Map(production.map((path) => [path, neededBy(path)]))
  const cycle = findCycle(graph)
  assert.equal(
    cycle,
    null,
    `Remedy: move what both need into a file of its own.\n${cycle?.join(' → ') ?? ''}`,
  )
})

/** A type needs nothing to be loaded, so an import of types closes no circle. */
function neededBy(path: string): string[] {
  return importsOf(path)
    .filter(({ typesOnly }) => !typesOnly)
    .map(({ target }) => target)
}

/** Depth-first; `done` holds files from which no cycle can be reached. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return null
    for (const target of graph.get(path) ?? []) {
      const cycle = visit(target, [...trail, path])
      if (cycle !== null) return cycle
    }
    done.add(path)
    return null
  }
  for (const path of graph.keys()) {
    const cycle = visit(path, [])
    if (cycle !== null) return cycle
  }
  return null
}
