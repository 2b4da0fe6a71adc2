import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lab, replicaOf } from '../testing/lab.js'

const VOTE = { kind: 'vote', transfer: false, lastIndex: 0, lastTerm: 0 } as const

test('§4.3: a vote request leaves after term and own vote are durable', () => {
  const lab = new Lab()
  lab.raft.campaign()
  lab.sent()
  lab.hear(2, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  assert.deepEqual(lab.kinds(), [])
  const mark = lab.takeWrite()
  assert.deepEqual(lab.kinds(), [])
  lab.raft.persisted(mark)
  assert.deepEqual(lab.kinds(), ['vote>2', 'vote>3'])
})

test('§4.3: the own vote counts once it is durable, not before', () => {
  const lab = new Lab()
  lab.raft.campaign()
  lab.hear(2, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  lab.hear(2, { kind: 'vote-response', granted: true })
  assert.equal(lab.raft.role, 'candidate')
  lab.sync()
  assert.equal(lab.raft.role, 'leader')
})

test('§4.3: a vote is answered, granted or refused, after it is durable', () => {
  const lab = new Lab({ log: [1], term: 1 })
  lab.hear(2, VOTE, { term: 2 })
  assert.deepEqual(lab.kinds(), [])
  lab.sync()
  assert.deepEqual(lab.kinds(), ['vote-response>2'])
})

test('§4.3: an append is acknowledged after its entries and the term are durable', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1])
  const first = lab.takeWrite()
  lab.append(2, [1, 1], [1])
  assert.deepEqual(lab.kinds(), [])
  lab.raft.persisted(first)
  const matches = lab.sent().map((message) => message.kind === 'append-accepted' && message.match)
  assert.deepEqual(matches, [1])
  lab.sync()
  assert.deepEqual(lab.kinds(), ['append-accepted>2'])
})

test('§4.3: an append that comes twice is not acknowledged sooner', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1])
  const mark = lab.takeWrite()
  lab.append(2, [0, 0], [1])
  assert.deepEqual(lab.kinds(), [])
  lab.raft.persisted(mark)
  assert.equal(lab.kinds().length, 2)
})

test('§4.3: a heartbeat is answered without waiting for entries, but not before the term is durable', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1])
  lab.heartbeat(2)
  assert.deepEqual(lab.kinds(), ['heartbeat-response>2'])
  lab.heartbeat(3, 2)
  assert.deepEqual(lab.kinds(), [])
  const mark = lab.takeWrite()
  lab.heartbeat(3, 2)
  assert.deepEqual(lab.kinds(), [])
  lab.raft.persisted(mark)
  assert.deepEqual(lab.kinds().filter((kind) => kind.startsWith('heartbeat')).length, 2)
})

test('§4.3: writes complete in the order in which they were taken', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1])
  lab.takeWrite()
  lab.append(2, [1, 1], [1])
  const second = lab.takeWrite()
  lab.raft.persisted(second)
  assert.throws(() => lab.raft.persisted(second), /once, in order/)
})

test('§4.3: a completion of an older term releases what waited for it, and attests nothing of the log', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1])
  const old = lab.takeWrite()
  lab.heartbeat(3, 2)
  lab.raft.persisted(old)
  assert.deepEqual(lab.kinds(), ['append-accepted>2'], 'it is only late')
  assert.equal(lab.raft.view.log.durable, 0)
  lab.sync()
  assert.equal(lab.raft.view.log.durable, 1, 'the next write attests it')
})

test('§4.3: entries that were replaced while they were written are not durable when they come back (ABA)', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1])
  const first = lab.takeWrite()
  const other = [{ index: 1, term: 2, payload: 'other' }]
  const append = { kind: 'append', number: 1, prevIndex: 0, prevTerm: 0, commit: 0 } as const
  lab.hear(3, { ...append, entries: other }, { term: 2 })
  lab.takeWrite()
  const again = [{ index: 1, term: 1, payload: '1/1' }]
  lab.hear(2, { ...append, entries: again }, { term: 3 })
  lab.raft.persisted(first)
  assert.equal(lab.raft.view.log.durable, 0)
  assert.ok(lab.kinds().length <= 1)
})

test('§4.3: a write that ended with an entry which is gone attests nothing of what stands there', () => {
  const lab = new Lab({ term: 1, log: [1] })
  lab.append(2, [1, 1], [1])
  lab.sync()
  lab.heartbeat(3, 2)
  const mark = lab.takeWrite()
  lab.hear(3, {
    kind: 'append',
    number: 1,
    prevIndex: 1,
    prevTerm: 1,
    commit: 0,
    entries: [{ index: 2, term: 2, payload: 'new' }],
  })
  lab.raft.persisted(mark)
  assert.equal(lab.raft.view.log.durable, 1)
  lab.sync()
  assert.equal(lab.raft.view.log.durable, 2)
})

test('§4.3: entries that were replaced before they were written are never acknowledged', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1, 1, 1])
  const entries = [{ index: 2, term: 2, payload: 'new' }]
  const append = {
    kind: 'append',
    number: 1,
    prevIndex: 1,
    prevTerm: 1,
    entries,
    commit: 0,
  } as const
  lab.hear(3, append, { term: 2 })
  lab.sync()
  const sent = lab.sent().map((message) => [message.term, message.kind])
  assert.deepEqual(sent, [[2, 'append-accepted']])

  const reset = new Lab({ term: 1 })
  reset.append(2, [0, 0], [1, 1])
  const snapshot = { snapshotId: 's', index: 9, term: 1, config: reset.raft.view.config }
  reset.hear(2, { kind: 'snapshot-begin', snapshot })
  reset.raft.installSnapshot('s')
  reset.sync()
  assert.deepEqual(reset.kinds(), ['snapshot-done>2'])
})

test('a hard state that did not change is not written again', () => {
  const lab = new Lab({ term: 1 })
  lab.heartbeat(2)
  lab.heartbeat(2)
  assert.equal(lab.raft.hasRecords, false)
  lab.append(2, [0, 0], [1])
  const { records } = lab.raft.takeRecords()
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['append'],
  )
})

test('nothing that is not durable leaves memory, and nothing uncommitted', () => {
  const lab = new Lab({ voters: 1, hasNoOp: false })
  lab.lead()
  for (const payload of ['a', 'b']) lab.raft.propose(payload)
  lab.sync()
  lab.raft.release(1)
  assert.deepEqual([lab.raft.entry(1), lab.raft.entry(2)?.payload], [undefined, 'b'])
  lab.raft.propose('c')
  assert.throws(() => lab.raft.release(3), /not committed/)
})

test('W1: a message for another store, or of an older generation, is answered and has no effect', () => {
  const lab = new Lab({ generation: 3 })
  const elsewhere = { ...replicaOf(1), store: 'wiped' }
  const outcome = lab.hear(2, VOTE, { term: 9, to: elsewhere })
  assert.deepEqual(outcome, { kind: 'ignored', reason: 'store-mismatch' })
  lab.hear(2, VOTE, { term: 9, generation: 2 })
  assert.deepEqual(lab.kinds(), ['store-mismatch>2', 'stale-generation>2'])
  assert.equal(lab.hear(2, VOTE, { term: 9, generation: 4 }).kind, 'ignored')
  assert.equal(lab.hear(2, VOTE, { term: 9, arc: 8 }).kind, 'ignored')
  assert.deepEqual([lab.raft.term, lab.raft.hasRecords], [0, false])
  assert.deepEqual(lab.kinds(), [])
})

test('W1: who speaks for a replica from another store is not that replica', () => {
  const lab = new Lab()
  const impostor = { ...replicaOf(2), store: 'other' }
  assert.deepEqual(lab.hear(2, VOTE, { term: 9, from: impostor }), {
    kind: 'ignored',
    reason: 'other-sender',
  })
  const twin = { ...replicaOf(1), store: 'other' }
  assert.equal(lab.hear(1, VOTE, { term: 9, from: twin }).kind, 'ignored')
})

test('W1: a leader that is told of another store tells its host once', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.hear(3, { kind: 'store-mismatch' })
  lab.hear(3, { kind: 'store-mismatch' })
  assert.deepEqual(lab.news(), [{ kind: 'replica-lost', replicaId: 3, reason: 'store-mismatch' }])
})

test('notices are never answered: two of them would go to and fro for ever', () => {
  const lab = new Lab({ generation: 3 })
  const elsewhere = { ...replicaOf(1), store: 'wiped' }
  lab.hear(2, { kind: 'store-mismatch' }, { to: elsewhere })
  lab.hear(2, { kind: 'stale-generation' }, { generation: 9 })
  assert.deepEqual(lab.kinds(), [])
  assert.deepEqual(lab.news(), [{ kind: 'outdated', reason: 'stale-generation' }])
})

test('W4: who rejects what it accepted has lost it: it is told, and counts no more', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.propose('a')
  lab.accepted(3, 2)
  lab.sent()
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  const rejection = { kind: 'append-rejected', prevIndex: 2, hintIndex: 0, hintTerm: 0 } as const
  lab.hear(3, { ...rejection, number: 99 })
  assert.deepEqual(lab.news(), [{ kind: 'replica-lost', replicaId: 3, reason: 'regressed' }])
  assert.ok(lab.kinds().includes('regressed>3'))
  lab.sync()
  assert.equal(lab.raft.commitIndex, 1, 'its acknowledgement of entry 2 does not count')
  lab.accepted(3, 2)
  assert.deepEqual(lab.kinds(), ['regressed>3'])
})

test('W4: who is told that it lost entries neither votes nor acknowledges any more', () => {
  const lab = new Lab({ term: 1 })
  lab.heartbeat(2)
  lab.sent()
  lab.hear(2, { kind: 'regressed', match: 7 })
  assert.deepEqual(lab.news(), [{ kind: 'quarantined' }])
  lab.append(2, [0, 0], [1])
  lab.heartbeat(2)
  lab.hear(3, VOTE, { term: 2 })
  lab.sync()
  lab.pass(10_000)
  assert.deepEqual(lab.kinds(), [])
  assert.equal(lab.raft.alarmAt, null)
})

test('W5: a suspect tail votes only for logs that cannot lack it, does not campaign, serves no read', () => {
  const suspectTail = { term: 2, index: 5 }
  const lab = new Lab({ term: 2, log: [1, 1], suspectTail })
  lab.raft.campaign()
  assert.equal(lab.raft.role, 'follower')
  assert.deepEqual(lab.hear(2, { ...VOTE, lastIndex: 4, lastTerm: 2 }, { term: 3 }), {
    kind: 'ignored',
    reason: 'tail-suspect',
  })
  lab.hear(3, { ...VOTE, lastIndex: 5, lastTerm: 2 }, { term: 4 })
  lab.sync()
  assert.deepEqual(lab.kinds(), ['vote-response>3'])
  lab.heartbeat(3, 4)
  assert.deepEqual(lab.raft.read(), { refused: 'tail-suspect' })
})

test('W5: the suspicion ends when its own log is again as up to date as what it may have lost', () => {
  const suspectTail = { term: 2, index: 5 }
  const lab = new Lab({ term: 2, log: [1, 1], suspectTail })
  lab.append(2, [2, 1], [2, 2], 4)
  assert.equal(lab.raft.view.standing.isSuspect, true)
  lab.append(2, [4, 2], [2], 5)
  assert.equal(lab.raft.view.standing.isSuspect, false)

  const newer = new Lab({ term: 3, log: [1, 1], suspectTail })
  newer.append(2, [2, 1], [3], 2)
  assert.equal(newer.raft.view.standing.isSuspect, false)
})

test('R1: a message to an earlier replica is answered, one to a later replica is the host’s affair', () => {
  const lab = new Lab()
  assert.equal(
    lab.hear(2, VOTE, { term: 1, to: { ...replicaOf(1), replicaId: 0 } }).kind,
    'ignored',
  )
  assert.deepEqual(lab.kinds(), ['too-old>2'])
  assert.deepEqual(lab.hear(2, VOTE, { term: 1, to: { ...replicaOf(1), replicaId: 9 } }), {
    kind: 'ignored',
    reason: 'later-replica',
  })
  lab.hear(2, { kind: 'too-old', config: lab.raft.view.config })
  assert.deepEqual(lab.news(), [{ kind: 'outdated', reason: 'too-old' }])
})
