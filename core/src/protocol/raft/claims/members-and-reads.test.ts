import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeConfiguration } from '../configuration.js'
import { READS_COUNT_MAX } from '../limits.js'
import { configOf, Lab, replicaOf, TIMING } from '../testing/lab.js'

const epoch = (lab: Lab): number => lab.raft.view.config.configEpoch
const add = (lab: Lab) =>
  lab.raft.changeMembers({ kind: 'add-learner', node: 'n9', store: 's9', configEpoch: epoch(lab) })
const change = (lab: Lab, kind: 'promote' | 'demote' | 'remove', replicaId: number) =>
  lab.raft.changeMembers({ kind, replicaId, configEpoch: epoch(lab) })

test('§4.1: a configuration counts as soon as it is appended', () => {
  const lab = new Lab({ voters: 2 })
  lab.leadAndCommit()
  assert.equal(change(lab, 'remove', 2), 2)
  lab.sync()
  assert.equal(lab.raft.commitIndex, 2, 'one voter is left, and holds it')
})

test('§4.1: a new voter counts from its entry on', () => {
  const lab = new Lab({ voters: 2, learners: 1 })
  lab.leadAndCommit()
  catchUp(lab, 3)
  assert.equal(typeof change(lab, 'promote', 3), 'number')
  lab.raft.propose('a')
  lab.sync()
  lab.accepted(2, lab.raft.lastIndex)
  assert.equal(lab.raft.commitIndex, lab.raft.lastIndex, 'two of three')
  const demoted = new Lab({ voters: 4 })
  demoted.raft.campaign()
  for (const id of [2, 3]) {
    demoted.hear(id, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  }
  demoted.sync()
  demoted.hear(2, { kind: 'vote-response', granted: true })
  assert.equal(demoted.raft.role, 'candidate', 'four voters, majority three')
})

test('§4.1: a configuration that is cut off brings the one before it back', () => {
  const lab = new Lab({ term: 1 })
  const config = { ...configOf(3, 1), configEpoch: 2 }
  const entry = { index: 1, term: 1, payload: encodeConfiguration(config), kind: 'config' } as const
  const append = { kind: 'append', number: 1, prevIndex: 0, prevTerm: 0, commit: 0 } as const
  lab.hear(2, { ...append, entries: [entry] })
  assert.equal(epoch(lab), 2)
  lab.hear(3, { ...append, entries: [{ index: 1, term: 2, payload: 'x' }] }, { term: 2 })
  assert.equal(epoch(lab), 1)
})

test('C1 (raft-dev 2015): no change before the term has committed an entry', () => {
  const lab = new Lab()
  lab.lead()
  lab.sync()
  assert.equal(add(lab), 'term-not-committed')
  lab.accepted(2, 1)
  assert.equal(add(lab), 2)
})

test('C1: no change before the last one is committed', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  add(lab)
  assert.equal(add(lab), 'change-in-flight')
  lab.sync()
  lab.accepted(2, 2)
  assert.equal(typeof add(lab), 'number')
})

test('C2: a change names the configuration that it was made for', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  const answer = lab.raft.changeMembers({ kind: 'remove', replicaId: 3, configEpoch: 7 })
  assert.equal(answer, 'other-epoch')
})

test('C2: no configuration whose voters lack an active majority', () => {
  const lab = new Lab({ voters: 3 })
  lab.leadAndCommit()
  for (let ms = 0; ms < TIMING.electionMsMin; ms += TIMING.heartbeatMs) {
    lab.pass(TIMING.heartbeatMs)
    lab.hear(2, { kind: 'heartbeat-response', position: 0 })
  }
  assert.equal(change(lab, 'remove', 2), 'no-active-majority')
  assert.equal(typeof change(lab, 'remove', 3), 'number')
})

/** Two answers with everything: a round begins with the first and ends with the second. */
function catchUp(lab: Lab, id: number): void {
  lab.hear(id, { kind: 'append-accepted', number: 1, match: lab.raft.commitIndex })
  lab.hear(id, { kind: 'append-accepted', number: 2, match: lab.raft.commitIndex })
}

test('C5: a learner is promoted once a round of catching up is shorter than an election timeout', () => {
  const lab = new Lab({ voters: 2, learners: 1 })
  lab.leadAndCommit()
  assert.equal(change(lab, 'promote', 3), 'not-caught-up')
  lab.accepted(3, 0)
  for (let ms = 0; ms <= TIMING.electionMsMin; ms += TIMING.heartbeatMs) {
    lab.pass(TIMING.heartbeatMs)
    lab.hear(2, { kind: 'heartbeat-response', position: 0 })
    lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  }
  lab.accepted(3, 1)
  assert.equal(change(lab, 'promote', 3), 'not-caught-up', 'that round was slow')
  lab.accepted(3, 1)
  assert.equal(change(lab, 'promote', 3), 2)
})

test('C5: a learner is not promoted before it holds the configuration that it is in', () => {
  const lab = new Lab({ voters: 1 })
  lab.lead()
  lab.sync()
  add(lab)
  assert.equal(lab.raft.view.configs.latestIndex, 2)
  for (let count = 0; count < 3; count += 1)
    lab.hear(
      2,
      { kind: 'append-accepted', number: 1, match: 1 },
      { from: { replicaId: 2, node: 'n9', store: 's9' } },
    )
  lab.sync()
  assert.equal(change(lab, 'promote', 2), 'not-caught-up')
  lab.hear(
    2,
    { kind: 'append-accepted', number: 2, match: 2 },
    { from: { replicaId: 2, node: 'n9', store: 's9' } },
  )
  assert.equal(change(lab, 'promote', 2), 3)
})

test('C5: a learner that is silent is not promoted', () => {
  const lab = new Lab({ voters: 2, learners: 1 })
  lab.leadAndCommit()
  catchUp(lab, 3)
  for (let ms = 0; ms < TIMING.electionMsMin; ms += TIMING.heartbeatMs) {
    lab.pass(TIMING.heartbeatMs)
    lab.hear(2, { kind: 'heartbeat-response', position: 0 })
  }
  assert.equal(change(lab, 'promote', 3), 'not-caught-up')
})

test('C6: a leader neither removes nor demotes itself', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  assert.equal(change(lab, 'remove', 1), 'is-leader')
  assert.equal(change(lab, 'demote', 1), 'is-leader')
})

test('§4.2.1: a learner is fed and does not count', () => {
  const lab = new Lab({ voters: 3, learners: 1 })
  lab.leadAndCommit()
  lab.raft.propose('a')
  lab.sync()
  lab.accepted(4, 2)
  assert.equal(lab.raft.commitIndex, 1)
  const preVotes = new Lab({ voters: 3, learners: 1 })
  preVotes.raft.campaign()
  assert.deepEqual(preVotes.kinds(), ['pre-vote>2', 'pre-vote>3'])
  preVotes.hear(4, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  assert.equal(preVotes.raft.role, 'pre-candidate')
})

test('a replicaId is given once, also when its holder is gone', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  add(lab)
  assert.equal(lab.raft.view.config.learners[0]?.replicaId, 4)
  lab.sync()
  lab.accepted(2, 2)
  change(lab, 'remove', 4)
  lab.sync()
  lab.accepted(2, 3)
  add(lab)
  assert.equal(lab.raft.view.config.learners[0]?.replicaId, 5)
})

test('R2: who is out of a committed configuration is told so, and is out for good', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  change(lab, 'remove', 3)
  const preVote = { kind: 'pre-vote', candidateTerm: 2, lastIndex: 9, lastTerm: 1 } as const
  assert.equal(lab.hear(3, preVote).kind, 'ignored')
  assert.ok(!lab.kinds().includes('removed>3'), 'not while it is uncommitted')
  lab.sync()
  lab.accepted(2, 2)
  lab.sent()
  assert.deepEqual(lab.hear(3, preVote), { kind: 'ignored', reason: 'removed-sender' })
  assert.deepEqual(lab.kinds(), ['removed>3'])

  const out = new Lab({ term: 1 })
  const config = { ...configOf(3), voters: [replicaOf(2), replicaOf(3)] }
  out.hear(2, { kind: 'removed', config: configOf(3) })
  assert.equal(out.raft.view.standing.out, null, 'no proof: it is in there')
  out.hear(2, { kind: 'removed', config: { ...config, nextReplicaId: 1 } })
  assert.equal(out.raft.view.standing.out, null, 'no proof: older than this replica')
  out.hear(2, { kind: 'removed', config })
  out.hear(2, { kind: 'removed', config })
  assert.deepEqual(out.news(), [{ kind: 'removed', config }])
  out.raft.campaign()
  assert.deepEqual([out.raft.role, out.kinds()], ['follower', []])
})

test('R2: a leader that was removed meanwhile steps down', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  const config = { ...configOf(3), voters: [replicaOf(2), replicaOf(3)] }
  lab.hear(2, { kind: 'removed', config }, { term: 7 })
  assert.equal(lab.raft.role, 'follower')
})

test('R2: a number that was given and not committed may stand for another store: the first one is out', () => {
  const lab = new Lab({ term: 1 })
  const other = { replicaId: 1, node: 'n5', store: 's5' }
  lab.hear(2, { kind: 'removed', config: { ...configOf(3), voters: [other, replicaOf(2)] } })
  assert.equal(lab.raft.view.standing.out, 'removed')
})

test('§6.4: a read waits for a majority of answers to heartbeats that were sent after it', () => {
  const lab = new Lab({ voters: 3 })
  lab.leadAndCommit()
  lab.pass(TIMING.heartbeatMs)
  lab.sent()
  const asked = lab.raft.read()
  assert.ok('read' in asked)
  lab.hear(2, { kind: 'heartbeat-response', position: 0 })
  assert.deepEqual(lab.news(), [])
  assert.deepEqual(
    lab.sent().map((message) => message.kind === 'heartbeat' && message.position),
    [1, 1],
  )
  lab.hear(2, { kind: 'heartbeat-response', position: 1 })
  assert.deepEqual(lab.news(), [{ kind: 'read-ready', read: asked.read, index: 1 }])
})

test('§6.4: reads of one turn share a round; later ones get a position of their own (etcd #20418)', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.read()
  lab.raft.read()
  assert.equal(lab.kinds().length, 2)
  lab.raft.read()
  lab.sent()
  lab.hear(2, { kind: 'heartbeat-response', position: 1 })
  assert.equal(lab.news().length, 2)
  lab.hear(2, { kind: 'heartbeat-response', position: 1 })
  assert.deepEqual(lab.news(), [])
  lab.hear(3, { kind: 'heartbeat-response', position: 2 })
  assert.equal(lab.news().length, 1)
})

test('§6.4: the regular heartbeats confirm a read whose round was lost', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.read()
  lab.sent()
  lab.pass(TIMING.heartbeatMs)
  const [again] = lab.sent()
  assert.equal(again?.kind === 'heartbeat' && again.position, 1)
})

test('§6.4: learners confirm nothing', () => {
  const lab = new Lab({ voters: 3, learners: 2 })
  lab.leadAndCommit()
  lab.raft.read()
  lab.sent()
  for (const id of [4, 5]) lab.hear(id, { kind: 'heartbeat-response', position: 1 })
  assert.deepEqual(lab.news(), [])
})

test('§6.4, §8: no read before the term has committed an entry', () => {
  const lab = new Lab({ log: [1], term: 1, commit: 1 })
  lab.lead()
  assert.deepEqual(lab.raft.read(), { refused: 'term-not-committed' })
  lab.sync()
  lab.hear(3, { kind: 'read-index', read: 5 })
  const answer = lab.sent().find(({ kind }) => kind === 'read-index-response')
  assert.equal(answer?.kind === 'read-index-response' && answer.index, null)
})

test('§8: a leader serves once the first entry of its term is applied', () => {
  const lab = new Lab()
  lab.lead()
  lab.sync()
  assert.equal(lab.raft.mayServe, false)
  lab.accepted(2, 1)
  assert.equal(lab.raft.mayServe, false)
  lab.apply()
  assert.equal(lab.raft.mayServe, true)
})

test('§6.4: reads of a leader that steps down fail, and are never confirmed', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.read()
  lab.sent()
  lab.heartbeat(3, 5)
  assert.deepEqual(
    lab.news().map(({ kind }) => kind),
    ['read-failed'],
  )
})

test('§6.4: a follower asks its leader; what does not come is given up', () => {
  const lab = new Lab({ term: 1 })
  assert.deepEqual(lab.raft.read(), { refused: 'no-leader' })
  lab.heartbeat(2)
  const first = lab.raft.read()
  const second = lab.raft.read()
  assert.ok('read' in first && 'read' in second && first.read !== second.read)
  lab.hear(2, { kind: 'read-index-response', read: second.read, index: 4 })
  lab.hear(2, { kind: 'read-index-response', read: second.read, index: 4 })
  assert.deepEqual(lab.news(), [{ kind: 'read-ready', read: second.read, index: 4 }])
  lab.pass(TIMING.electionMsMin)
  assert.deepEqual(
    lab.news().map(({ kind }) => kind),
    ['read-failed'],
  )
  lab.raft.read()
  lab.heartbeat(3, 2)
  assert.deepEqual(
    lab.news().map(({ kind }) => kind),
    ['read-failed'],
  )
})

test('§6.4: numbers of reads differ from one life to the next', () => {
  const numberOf = (lab: Lab): number => {
    lab.heartbeat(2, 1)
    const asked = lab.raft.read()
    return 'read' in asked ? asked.read : -1
  }
  assert.ok(numberOf(new Lab()) >= 2 ** 32)
})

test('§6.4: a leader answers a follower’s read when it is confirmed', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.hear(3, { kind: 'read-index', read: 77 })
  assert.deepEqual(lab.kinds(), ['heartbeat>2', 'heartbeat>3'])
  lab.hear(3, { kind: 'heartbeat-response', position: 1 })
  const answer = lab.sent().find(({ kind }) => kind === 'read-index-response')
  assert.deepEqual(answer?.kind === 'read-index-response' && [answer.read, answer.index], [77, 1])
})

test('reads that wait are bounded', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  for (let count = 0; count < READS_COUNT_MAX; count += 1) lab.raft.read()
  assert.deepEqual(lab.raft.read(), { refused: 'overloaded' })
})

test('a single voter confirms its reads by itself', () => {
  const lab = new Lab({ voters: 1 })
  lab.lead()
  lab.sync()
  lab.raft.read()
  lab.sent()
  assert.deepEqual(
    lab.news().map(({ kind }) => kind),
    ['read-ready'],
  )
  assert.equal(lab.raft.alarmAt, null, 'and sleeps')
})
