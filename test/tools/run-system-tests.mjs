/**
 * What `npm run test:system` runs after the build: the tests that need root or Debian packages.
 * A missing tool is an error that names the package, never a skip.
 */
import { spawnSync } from 'node:child_process'
import { runGroups } from './run-groups.mjs'

/** Command → Debian package that brings it. */
const TOOLS = {
  mount: 'mount',
  'mkfs.ext4': 'e2fsprogs',
  xfs_io: 'xfsprogs',
  prlimit: 'util-linux',
  promtool: 'prometheus',
}

const missing = Object.entries(TOOLS).filter(
  ([command]) => spawnSync('which', [command], { stdio: 'ignore' }).status !== 0,
)
for (const [command, debianPackage] of missing) {
  console.log(`The command ${command} is missing: apt-get install ${debianPackage}`)
}
if (process.getuid?.() !== 0)
  console.log('These tests need root: run them in a container or with sudo.')
if (missing.length > 0 || process.getuid?.() !== 0) {
  console.log('\n0 passed, 1 failed')
  process.exit(1)
}

await runGroups(
  [{ name: 'system', concurrency: 1, accepts: (source) => source.startsWith('test/system/') }],
  process.argv.slice(2),
)
