/**
 * What `npm test` runs after the build: the checks, and every test but those of test/system.
 * Arguments are parts of paths, to run a few tests only: `node test/tools/run-tests.mjs ledger`.
 *
 * Tests that start whole nodes come last and two at a time, so that their deadlines do not depend on
 * how many cores the unit tests keep busy. Within a group the longest files begin first: what takes a
 * minute and begins last leaves the other cores idle.
 */
import { availableParallelism } from 'node:os'
import { runGroups } from './run-groups.mjs'

/** Files that take longest, in this order before all others; the seconds that each takes are printed. */
const LONGEST = [
  'test/sim/mutations/mutations.test.ts',
  'test/sim/sim.test.ts',
  'test/integration/waiting-out.test.ts',
  'test/integration/disk-faults.test.ts',
  'test/integration/memory.test.ts',
  'test/integration/cli-golden.test.ts',
  'test/integration/rot.test.ts',
  'test/integration/kill.test.ts',
  'test/integration/bulk.test.ts',
  'test/integration/misbehaving.test.ts',
  'test/integration/built-ins.test.ts',
]

const isSystem = (source) => source.startsWith('test/system/')
const isIntegration = (source) => source.startsWith('test/integration/')

await runGroups(
  [
    {
      name: 'units and simulation',
      concurrency: availableParallelism(),
      accepts: (source) => !isSystem(source) && !isIntegration(source),
    },
    { name: 'integration', concurrency: 2, accepts: isIntegration },
  ],
  process.argv.slice(2),
  { scripts: ['lint', 'format:check', 'dead-code'], first: LONGEST },
)
