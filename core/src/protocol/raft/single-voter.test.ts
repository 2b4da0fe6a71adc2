import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SingleVoterGroup } from './single-voter.js'

const resumed = (): SingleVoterGroup =>
  new SingleVoterGroup(3, 'self', { term: 7, vote: 'self', lastIndex: 40 })

test('it leads a new term only after its own vote is durable', () => {
  const group = resumed()
  group.campaign()
  assert.equal(group.role, 'candidate')
  const { records, mark } = group.takeRecords()
  assert.deepEqual(records, [{ kind: 'hard-state', arc: 3, term: 8, vote: 'self' }])
  assert.equal(group.role, 'candidate')
  group.persisted(mark)
  assert.equal(group.role, 'leader')
})

test('entries of earlier lives commit only with the first entry of its own term', () => {
  const group = resumed()
  group.campaign()
  group.persisted(group.takeRecords().mark)
  assert.equal(group.commitIndex, 0)
  assert.equal(group.propose('own'), 41)
  const { mark } = group.takeRecords()
  assert.equal(group.commitIndex, 0)
  group.persisted(mark)
  assert.equal(group.commitIndex, 41)
})

test('an entry proposed while a batch is in flight does not commit with that batch', () => {
  const group = resumed()
  group.campaign()
  group.persisted(group.takeRecords().mark)
  group.propose('first')
  const { mark } = group.takeRecords()
  group.propose('second')
  group.persisted(mark)
  assert.equal(group.commitIndex, 41)
  assert.equal(group.lastIndex, 42)
  assert.deepEqual(group.takeRecords().records, [
    { kind: 'append', arc: 3, entries: [{ index: 42, term: 8, payload: 'second' }] },
  ])
})

test('a completion of an older term attests nothing', () => {
  const group = resumed()
  group.campaign()
  group.takeRecords()
  group.persisted({ term: 7, lastIndex: 40, lastTerm: 7, write: 0 })
  assert.equal(group.role, 'candidate')
})

test('a follower cannot propose', () => {
  assert.throws(() => resumed().propose('x'), /cannot propose/)
})

test('released entries leave memory, later ones stay', () => {
  const group = resumed()
  group.campaign()
  group.persisted(group.takeRecords().mark)
  for (const payload of ['a', 'b', 'c']) group.propose(payload)
  group.persisted(group.takeRecords().mark)
  group.release(42)
  assert.equal(group.entry(42), undefined)
  assert.equal(group.entry(43)?.payload, 'c')
  assert.equal(group.entry(40), undefined)
})
