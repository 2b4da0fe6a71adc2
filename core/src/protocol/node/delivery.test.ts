import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArcId } from '../../base/ids.js'
import { NO_LOG, soleVoterGroup } from '../raft/sole-voter.js'
import { ArcState } from './arc-state.js'
import { Delivery } from './delivery.js'
import { EngineOutputs } from './engine-outputs.js'
import { UNAPPLIED_ENTRIES_MAX } from './limits.js'

/** An arc that leads and has committed so many entries. */
function arcWith(arc: ArcId, entryCount: number): ArcState {
  const group = soleVoterGroup({ arc, node: '0'.repeat(32), boot: 1, start: NO_LOG, applied: 0 })
  group.campaign()
  group.persisted(group.takeRecords().mark)
  for (let n = 0; n < entryCount; n += 1) group.propose('{}')
  group.persisted(group.takeRecords().mark)
  return new ArcState(arc, group, 0, 0)
}

test('arcs that found no room go on, all of them, when another arc has made some', () => {
  const outputs = new EngineOutputs()
  const delivery = new Delivery(outputs)
  const [large, ...small] = [arcWith(0, UNAPPLIED_ENTRIES_MAX), arcWith(1, 3), arcWith(2, 4)]
  assert.ok(large !== undefined)
  for (const state of [large, ...small]) delivery.deliver(state)
  assert.equal(outputs.takeLedger().length, UNAPPLIED_ENTRIES_MAX)
  delivery.noteApplied(large, 5)
  delivery.goOn(large)
  assert.deepEqual(
    small.map(({ delivered }) => delivered),
    [3, 2],
  )
  delivery.noteApplied(large, 10)
  delivery.goOn(large)
  assert.deepEqual(
    small.map(({ delivered }) => delivered),
    [3, 4],
  )
  assert.equal(outputs.takeLedger().length, 7)
})

test('arcs that found no room go on when the arc that took it up can apply nothing more', () => {
  const outputs = new EngineOutputs()
  const delivery = new Delivery(outputs)
  const [large, small] = [arcWith(0, UNAPPLIED_ENTRIES_MAX), arcWith(1, 3)]
  for (const state of [large, small]) delivery.deliver(state)
  assert.equal(small.delivered, 0)
  large.stopped = { code: 'apply_stopped', message: 'entry 1 is new' }
  delivery.noteGivenUp(large.giveUp().unapplied)
  assert.equal(small.delivered, 3)
})
