import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { testRule } from './rule.js'
import { REPOSITORY } from './tree.js'

const SCRIPT = 'test/tools/complete-lockfile.mjs'

/** What the script misses in a lock file; it looks at the one of the tree that it stands in. */
function missingIn(lockFile: string, owner: Owner): string[] {
  const root = temporaryFolder(owner)
  mkdirSync(dirname(join(root, SCRIPT)), { recursive: true })
  writeFileSync(join(root, SCRIPT), REPOSITORY.read(SCRIPT))
  writeFileSync(join(root, 'package-lock.json'), lockFile)
  const check = spawnSync(process.execPath, [join(root, SCRIPT), '--check'], { encoding: 'utf8' })
  return check.status === 0 ? [] : `${check.stdout}${check.stderr}`.trim().split('\n')
}

testRule({
  claim: 'the lock file holds every package that another system needs',
  remedy: `run \`node ${SCRIPT}\`.`,
  findings: (tree, owner) => missingIn(tree.read('package-lock.json'), owner),
  sample: {
    'package-lock.json': JSON.stringify({
      packages: {
        'node_modules/turbo': {
          optionalDependencies: { '@turbo/darwin-64': '2.0.0', '@turbo/linux-64': '2.0.0' },
        },
        'node_modules/@turbo/linux-64': {},
      },
    }),
  },
  found: ['missing: @turbo/darwin-64@2.0.0', `Run \`node ${SCRIPT}\`.`],
})

testRule({
  claim: 'the lock file names no registry',
  remedy: 'keep omit-lockfile-registry-resolved in .npmrc and run npm install again.',
  findings: (tree) => tree.read('package-lock.json').match(/"resolved": "https?:[^"]*"/g) ?? [],
  sample: {
    'package-lock.json': '"resolved": "jobs"\n"resolved": "https://registry.example/a.tgz"',
  },
  found: ['"resolved": "https://registry.example/a.tgz"'],
})
