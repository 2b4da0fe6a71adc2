import { test } from 'node:test'
import { RandomGroup } from './testing/random-group.js'

/**
 * More by argument: `RAFT_SEED=1 RAFT_SEEDS=10000 RAFT_EVENTS=2000 node --test random-group.test.js`.
 */
const FIRST = Number(process.env['RAFT_SEED'] ?? 1)
const COUNT = Number(process.env['RAFT_SEEDS'] ?? 200)
const EVENTS = Number(process.env['RAFT_EVENTS'] ?? 800)

test('random groups keep every invariant whatever their network and disks do, and heal', () => {
  for (let seed = FIRST; seed < FIRST + COUNT; seed += 1) {
    try {
      new RandomGroup(seed).run(EVENTS)
    } catch (error) {
      throw new Error(`RAFT_SEED=${seed} RAFT_SEEDS=1 RAFT_EVENTS=${EVENTS} fails`, {
        cause: error,
      })
    }
  }
})
