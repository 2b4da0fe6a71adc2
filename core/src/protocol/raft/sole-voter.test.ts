import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Raft } from './raft.js'
import { NO_LOG, soleVoterGroup } from './sole-voter.js'

const NODE = '00000000000000007f3a00000000beef'

/** A log of before groups had configurations: it names the node as its vote. */
const resumed = (): Raft =>
  soleVoterGroup({
    arc: 3,
    node: NODE,
    boot: 2,
    start: { term: 7, vote: NODE, firstIndex: 11, lastIndex: 40, lastTerm: 6 },
    applied: 30,
  })

const leading = (): Raft => {
  const group = resumed()
  group.campaign()
  group.persisted(group.takeRecords().mark)
  return group
}

test('it leads a new term only after its own vote is durable', () => {
  const group = resumed()
  group.campaign()
  assert.equal(group.role, 'candidate')
  const { records, mark } = group.takeRecords()
  assert.deepEqual(records, [{ kind: 'hard-state', arc: 3, term: 8, vote: '1' }])
  assert.equal(group.role, 'candidate')
  group.persisted(mark)
  assert.equal(group.role, 'leader')
  assert.equal(group.hasRecords, false, 'the first entry is the host’s')
})

test('entries of earlier lives commit only with the first entry of its own term', () => {
  const group = leading()
  assert.deepEqual([group.commitIndex, group.tailStart], [30, 41])
  assert.equal(group.propose('own'), 41)
  const { mark } = group.takeRecords()
  assert.equal(group.applicableIndex, 30)
  group.persisted(mark)
  assert.equal(group.applicableIndex, 41)
})

test('an entry proposed while a batch is in flight does not commit with that batch', () => {
  const group = leading()
  group.propose('first')
  const { mark } = group.takeRecords()
  group.propose('second')
  group.persisted(mark)
  assert.deepEqual([group.commitIndex, group.lastIndex], [41, 42])
  assert.deepEqual(group.takeRecords().records, [
    { kind: 'append', arc: 3, entries: [{ index: 42, term: 8, payload: 'second' }] },
  ])
})

test('an empty log, and one that was given up to its end, are begun as well', () => {
  const empty = { arc: 0, node: NODE, boot: 1, start: NO_LOG, applied: 0 }
  const given = { ...NO_LOG, term: 4, vote: '1', firstIndex: 10, lastIndex: 9, lastTerm: 4 }
  for (const options of [empty, { ...empty, start: given, applied: 9 }]) {
    const group = soleVoterGroup(options)
    const { term, lastIndex } = options.start
    group.campaign()
    group.persisted(group.takeRecords().mark)
    assert.equal(group.propose('own'), lastIndex + 1)
    group.persisted(group.takeRecords().mark)
    assert.deepEqual([group.term, group.commitIndex], [term + 1, lastIndex + 1])
  }
})

test('a follower cannot propose', () => {
  assert.throws(() => resumed().propose('x'), /cannot propose/)
})

test('released entries leave memory, later ones stay', () => {
  const group = leading()
  for (const payload of ['a', 'b', 'c']) group.propose(payload)
  group.persisted(group.takeRecords().mark)
  group.release(42)
  assert.equal(group.entry(42), undefined)
  assert.equal(group.entry(43)?.payload, 'c')
  assert.equal(group.entry(40), undefined)
})

test('a sole voter that leads has no alarm: an idle node sleeps', () => {
  assert.equal(leading().alarmAt, null)
})
