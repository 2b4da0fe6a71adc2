/**
 * What `npm test` runs after the build: the checks, and every test but those of test/system.
 * Arguments are parts of paths, to run a few tests only: `node test/tools/run-tests.mjs ledger`.
 *
 * Tests that start whole nodes come last and two at a time, so that their deadlines do not depend on
 * how many cores the unit tests keep busy.
 */
import { availableParallelism } from 'node:os'
import { runGroups } from './run-groups.mjs'

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
  ['lint', 'format:check', 'dead-code'],
)
