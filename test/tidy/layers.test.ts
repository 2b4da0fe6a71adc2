import { posix } from 'node:path'
import { testRule } from './rule.js'
import { isTest, sourceFiles, type Tree, withoutComments } from './tree.js'

/**
 * What a layer may import of ours. `types` are for types only. The first matching folder decides; a
 * layer may always import itself.
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
  { folder: 'core/src/cli', imports: ['core/src', 'jobs/src', 'workers/src/sdk'] },
  { folder: 'core/src/index.ts', imports: ['core/src'] },
]

/** Packages of ours by name, and the folder that the name stands for. */
const PACKAGES: Readonly<Record<string, string>> = {
  '@gyre/jobs': 'jobs/src',
  '@gyre/jobs/catalog': 'jobs/src/catalog',
  '@gyre/jobs/typebox': 'jobs/src/spec/typebox.ts',
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

function importsOf(tree: Tree, path: string): Import[] {
  return [...withoutComments(tree.read(path)).matchAll(IMPORT)].flatMap((match) => {
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

function violationsOf(tree: Tree, path: string): string[] {
  const layer = LAYERS.find(({ folder }) => isIn(path, folder))
  if (layer === undefined) return [`${path} belongs to no layer`]
  return importsOf(tree, path)
    .filter((imported) => !mayImport(layer, imported))
    .map(({ target, typesOnly }) => `${path} imports ${typesOnly ? 'types of ' : ''}${target}`)
}

function production(tree: Tree): string[] {
  return sourceFiles(tree).filter((path) => !isTest(path))
}

testRule({
  claim: 'imports go down the layers only',
  remedy: `move the code to the layer that may know both, or pass it in; the table is in
test/tidy/layers.test.ts and in ARCHITECTURE.md.`,
  findings: (tree) => production(tree).flatMap((path) => violationsOf(tree, path)),
  sample: {
    'core/src/protocol/raft/a.ts': `import { x } from '../../base/x.js'
import type { Row } from '../ledger/row.js'
// import { y } from '../node/y.js'
import fastify from 'fastify'`,
    'core/src/api/b.ts': `import type { Query } from '../protocol/ledger/query.js'
import { type Query, type Job as J } from '../protocol/ledger/query.js'
import {
  type Query,
  answer,
} from '../protocol/ledger/query.js'
export * from '../adapters/x.js'
import '../cli/main.js'`,
    'core/src/cli/c.ts': `import { Api } from '../api/server.js'
const x = await import('@gyre/workers/text')`,
    'jobs/src/spec/d.ts': "import { defineService } from '@gyre/workers'",
    'core/src/protocol/gossip/e.ts': '',
    'core/src/api/b.test.ts': "import { Disk } from '../adapters/disk.js'",
  },
  found: [
    'core/src/protocol/raft/a.ts imports types of core/src/protocol/ledger/row.ts',
    'core/src/api/b.ts imports core/src/protocol/ledger/query.ts',
    'core/src/api/b.ts imports core/src/adapters/x.ts',
    'core/src/api/b.ts imports core/src/cli/main.ts',
    'core/src/cli/c.ts imports workers/src/text',
    'jobs/src/spec/d.ts imports workers/src/sdk',
    'core/src/protocol/gossip/e.ts belongs to no layer',
  ],
})

testRule({
  claim: 'production code imports neither tests nor internals of a package',
  remedy: 'import @gyre/jobs and @gyre/workers by their public names; put test hooks into base/.',
  findings: (tree) =>
    production(tree).flatMap((path) =>
      importsOf(tree, path)
        .filter(({ target }) => isTest(target) || target.startsWith('@gyre/'))
        .map(({ target }) => `${path} imports ${target}`),
    ),
  sample: {
    'core/src/cli/a.ts': `import { plan } from '@gyre/jobs'
import { parse } from '@gyre/jobs/dist/spec/parse.js'
import { cases } from './a.test.js'
import { Sim } from '../../../test/sim/sim.js'`,
    'core/src/cli/a.test.ts': "import { cases } from './b.test.js'",
  },
  found: [
    'core/src/cli/a.ts imports @gyre/jobs/dist/spec/parse.js',
    'core/src/cli/a.ts imports core/src/cli/a.test.ts',
    'core/src/cli/a.ts imports test/sim/sim.ts',
  ],
})

const TYPEBOX = 'jobs/src/spec/typebox.ts'

testRule({
  claim: 'TypeBox is loaded as one bundle',
  remedy: `import it from @gyre/jobs/typebox; as a package it is hundreds of modules, and each thread loads them.`,
  findings: (tree) =>
    production(tree).filter(
      (path) => path !== TYPEBOX && /(?:from|import\()\s*'typebox[/']/.test(tree.read(path)),
    ),
  sample: {
    [TYPEBOX]: "export { Type } from 'typebox'",
    'core/src/api/a.ts': "import { Type } from '@gyre/jobs/typebox'",
    'core/src/api/b.ts': "import { Type } from 'typebox'",
    'core/src/api/c.ts': "import { Compile } from 'typebox/compile'",
    'core/src/api/d.ts': "const { Value } = await import('typebox/value')",
    'core/src/api/e.ts':
      "import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'",
  },
  found: ['core/src/api/b.ts', 'core/src/api/c.ts', 'core/src/api/d.ts'],
})

testRule({
  claim: 'no two files need each other to load, not even through others',
  remedy: 'move what both need into a file of its own.',
  findings: (tree) => {
    const graph = new Map(production(tree).map((path) => [path, neededBy(tree, path)]))
    const cycle = findCycle(graph)
    return cycle === null ? [] : [cycle.join(' → ')]
  },
  sample: {
    'a/start.ts': "import { one } from './one.js'",
    'a/one.ts': "import { two } from './two.js'",
    'a/two.ts': "import type { One } from './one.js'\nimport { three } from './three.js'",
    'a/three.ts': "export { one } from './one.js'",
  },
  found: ['a/one.ts → a/two.ts → a/three.ts → a/one.ts'],
})

/** A type needs nothing to be loaded, so an import of types closes no circle. */
function neededBy(tree: Tree, path: string): string[] {
  return importsOf(tree, path)
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
