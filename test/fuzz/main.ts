import { parseArgs } from 'node:util'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from '../integration/node-process.js'
import { fuzz } from './fuzz.js'

/**
 * `npm run fuzz -- --requests 1000000 --seed 1`: a node of its own under drawn requests. Exit code 0:
 * all was answered as the contract says and the memory stayed within a fifth of what it was; 1: not.
 */
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
})
const requests = Number(values.requests)
const seed = Number(values.seed)
const GROWTH_MAX = 1.2
const PROGRESS_REQUESTS = 50_000

const cleanups: (() => unknown)[] = []
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) }

try {
  process.exitCode = (await run()) ? 0 : 1
} finally {
  for (const cleanup of cleanups) await cleanup()
}

async function run(): Promise<boolean> {
  const node = await NodeProcess.start(owner, ['--data', temporaryFolder(owner), '--init'])
  const began = performance.now()
  const report = await fuzz({
    url: node.url,
    pid: node.pid,
    requests,
    seed,
    progress: (done, mib) => {
      if (done % PROGRESS_REQUESTS === 0) console.log(`${done} requests, ${mib} MiB`)
    },
  })
  const seconds = Math.round((performance.now() - began) / 1000)
  const { violations, statuses, earlyMib, lateMib } = report
  for (const violation of violations) console.log(violation)
  console.log(`${requests} requests in ${seconds} s, seed ${seed}: ${JSON.stringify(statuses)}`)
  console.log(`memory: ${earlyMib} MiB early, ${lateMib} MiB late`)
  const isFlat = lateMib <= earlyMib * GROWTH_MAX
  if (!isFlat) console.log(`the memory grew by more than ${Math.round((GROWTH_MAX - 1) * 100)} %`)
  const exit = await node.terminate()
  const isSilent = !/failed by the node's own fault/.test(node.stderr)
  if (!isSilent) console.log(node.stderr.slice(0, 5000))
  console.log(`node npm run fuzz -- --requests ${requests} --seed ${seed}`)
  return violations.length === 0 && isFlat && isSilent && exit.code === 0
}
