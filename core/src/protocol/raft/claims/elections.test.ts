import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lab, TIMING } from '../testing/lab.js'

const VOTE = { kind: 'vote', transfer: false, lastIndex: 0, lastTerm: 0 } as const
const PRE_VOTE = { kind: 'pre-vote', candidateTerm: 1, lastIndex: 0, lastTerm: 0 } as const
const granted = (lab: Lab): (boolean | null)[] => {
  lab.sync()
  return lab.sent().map((message) => ('granted' in message ? message.granted : null))
}

test('§5.1: a message of a newer term makes a leader and a candidate followers of that term', () => {
  const leader = new Lab()
  leader.lead()
  leader.heartbeat(3, 7)
  assert.deepEqual([leader.raft.role, leader.raft.term], ['follower', 7])

  const candidate = new Lab()
  candidate.raft.campaign()
  candidate.hear(2, { kind: 'stale-term' }, { term: 5 })
  assert.deepEqual([candidate.raft.role, candidate.raft.term], ['follower', 5])
})

test('§5.1: a request of an older term is refused, and answered with the newer one', () => {
  const lab = new Lab({ term: 5 })
  assert.deepEqual(
    lab.hear(
      2,
      { kind: 'append', number: 1, prevIndex: 0, prevTerm: 0, entries: [], commit: 0 },
      { term: 4 },
    ),
    {
      kind: 'ignored',
      reason: 'older-term',
    },
  )
  lab.sync()
  const answer = lab.sent().at(-1)
  assert.deepEqual([answer?.kind, answer?.term], ['stale-term', 5])
})

test('§5.2: a follower that hears nothing for an election timeout campaigns', () => {
  const lab = new Lab()
  lab.pass(TIMING.electionMsMin - 1)
  assert.equal(lab.raft.role, 'follower')
  lab.pass(TIMING.electionMsMax)
  assert.equal(lab.raft.role, 'pre-candidate')
  assert.deepEqual(lab.kinds(), ['pre-vote>2', 'pre-vote>3'])
})

test('§5.2: heartbeats and appends keep a follower from campaigning', () => {
  const lab = new Lab({ term: 1 })
  for (let beat = 0; beat < 50; beat += 1) {
    lab.pass(TIMING.electionMsMin - 1)
    if (beat % 2 === 0) lab.heartbeat(2)
    else lab.append(2, [0, 0], [])
  }
  assert.equal(lab.raft.role, 'follower')
})

test('§5.2: election timeouts differ from one to the next', () => {
  const lab = new Lab({ term: 1 })
  const alarms = new Set<number | null>()
  for (let beat = 0; beat < 20; beat += 1) {
    lab.heartbeat(2)
    alarms.add(lab.raft.alarmAt)
  }
  assert.ok(alarms.size > 10)
  for (const at of alarms) {
    assert.ok(at !== null && at >= TIMING.electionMsMin && at <= TIMING.electionMsMax)
  }
})

test('§5.2: a voter gives one vote in a term, to whoever asks first, also after a restart', () => {
  const lab = new Lab()
  lab.hear(2, VOTE, { term: 1 })
  lab.hear(3, VOTE, { term: 1 })
  assert.deepEqual(granted(lab), [true, false])
  lab.hear(2, VOTE, { term: 1 })
  assert.deepEqual(granted(lab), [true])

  const again = new Lab({ term: 1, vote: 2 })
  again.hear(3, VOTE, { term: 1 })
  assert.deepEqual(granted(again), [false])
})

test('§5.2: a candidate with the votes of a majority leads; without, it does not', () => {
  const lab = new Lab({ voters: 5 })
  lab.raft.campaign()
  for (const id of [2, 3]) {
    lab.hear(id, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  }
  assert.equal(lab.raft.role, 'candidate')
  lab.sync()
  lab.hear(2, { kind: 'vote-response', granted: true })
  lab.hear(2, { kind: 'vote-response', granted: true })
  assert.equal(lab.raft.role, 'candidate', 'one voter counts once')
  lab.hear(9, { kind: 'vote-response', granted: true })
  assert.equal(lab.raft.role, 'candidate', 'strangers do not count')
  lab.hear(4, { kind: 'vote-response', granted: true })
  assert.equal(lab.raft.role, 'leader')
})

test('§5.2: a candidate that a majority refuses waits as a follower', () => {
  const lab = new Lab()
  lab.raft.campaign()
  lab.hear(2, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  lab.sync()
  lab.hear(2, { kind: 'vote-response', granted: false })
  assert.equal(lab.raft.role, 'candidate')
  lab.hear(3, { kind: 'vote-response', granted: false })
  assert.equal(lab.raft.role, 'follower')
})

test('§5.2: a candidate that hears the leader of its term follows it', () => {
  const lab = new Lab()
  lab.raft.campaign()
  lab.hear(2, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  lab.heartbeat(3)
  assert.deepEqual([lab.raft.role, lab.raft.leader?.replicaId], ['follower', 3])
})

test('§5.4.1: a vote goes only to a log that is at least as up to date', () => {
  const table: readonly [readonly number[], number, number, boolean][] = [
    [[1, 1], 2, 1, true],
    [[1, 1], 3, 1, true],
    [[1, 1], 1, 1, false],
    [[1, 1], 1, 2, true],
    [[1, 2], 3, 1, false],
    [[1, 2], 2, 2, true],
    [[], 0, 0, true],
  ]
  for (const [log, lastIndex, lastTerm, expected] of table) {
    const vote = new Lab({ log, term: 2 })
    vote.hear(2, { ...VOTE, lastIndex, lastTerm }, { term: 3 })
    assert.deepEqual(granted(vote), [expected], `${log} against ${lastIndex}/${lastTerm}`)
    const preVote = new Lab({ log, term: 2 })
    preVote.hear(2, { ...PRE_VOTE, candidateTerm: 3, lastIndex, lastTerm })
    assert.deepEqual(granted(preVote), [expected], `pre-vote, ${log}`)
  }
})

test('dissertation §9.6: a pre-vote moves neither term nor vote, at either side', () => {
  const lab = new Lab({ term: 4 })
  lab.hear(2, { ...PRE_VOTE, candidateTerm: 5 })
  assert.equal(lab.raft.hasRecords, false)
  assert.deepEqual(granted(lab), [true])
  lab.raft.campaign()
  assert.deepEqual([lab.raft.role, lab.raft.term], ['pre-candidate', 4])
  assert.equal(lab.raft.hasRecords, false)
})

test('dissertation §9.6: only answers to the pre-vote that runs count', () => {
  const lab = new Lab({ term: 4 })
  lab.raft.campaign()
  lab.hear(2, { kind: 'pre-vote-response', candidateTerm: 4, granted: true })
  assert.equal(lab.raft.role, 'pre-candidate')
  lab.hear(2, { kind: 'pre-vote-response', candidateTerm: 5, granted: true }, { term: 3 })
  assert.deepEqual([lab.raft.role, lab.raft.term], ['candidate', 5])
})

test('E3: a pre-vote of an older term is answered with the newer one, which its candidate adopts', () => {
  const lab = new Lab({ term: 9 })
  lab.hear(2, PRE_VOTE, { term: 0 })
  const [answer] = lab.sent()
  assert.deepEqual([answer?.kind, answer?.term], ['pre-vote-response', 9])

  const candidate = new Lab()
  candidate.raft.campaign()
  candidate.hear(2, { kind: 'pre-vote-response', candidateTerm: 1, granted: false }, { term: 9 })
  assert.deepEqual([candidate.raft.role, candidate.raft.term], ['follower', 9])
})

test('E1: whoever hears its leader ignores candidates and their term, until it is silent', () => {
  const lab = new Lab({ term: 1 })
  lab.heartbeat(2)
  lab.pass(TIMING.electionMsMin - 1)
  const preVote = { ...PRE_VOTE, candidateTerm: 2 }
  assert.deepEqual(lab.hear(3, preVote), { kind: 'ignored', reason: 'leader-alive' })
  assert.deepEqual(lab.hear(3, VOTE, { term: 8 }), { kind: 'ignored', reason: 'leader-alive' })
  assert.equal(lab.raft.term, 1)
  lab.sync()
  lab.sent()
  lab.raft.tick(TIMING.electionMsMin)
  lab.hear(3, preVote)
  assert.deepEqual(granted(lab), [true])
})

test('E1: a leader stands by itself', () => {
  const lab = new Lab()
  lab.lead()
  assert.deepEqual(lab.hear(3, VOTE, { term: 8 }), { kind: 'ignored', reason: 'leader-alive' })
  const preVote = { ...PRE_VOTE, candidateTerm: 9 }
  assert.deepEqual(lab.hear(3, preVote), { kind: 'ignored', reason: 'leader-alive' })
})

test('E4: who has lost leadership grants pre-votes again at once', () => {
  const lab = new Lab()
  lab.lead()
  lab.pass(TIMING.electionMsMin)
  assert.equal(lab.raft.role, 'follower')
  lab.sync()
  lab.sent()
  lab.hear(3, { ...PRE_VOTE, candidateTerm: 2, lastIndex: 1, lastTerm: 1 })
  assert.deepEqual(granted(lab), [true])
})

test('E5: a leader that hears no majority for an election timeout steps down; learners do not count', () => {
  const lab = new Lab({ voters: 3, learners: 2 })
  lab.lead()
  for (let beat = 0; beat < 20; beat += 1) {
    lab.pass(TIMING.heartbeatMs)
    if (beat < 5) lab.hear(3, { kind: 'heartbeat-response', position: 0 })
    for (const learner of [4, 5]) lab.hear(learner, { kind: 'heartbeat-response', position: 0 })
    if (beat === 10) assert.equal(lab.raft.role, 'leader')
  }
  assert.deepEqual([lab.raft.role, lab.raft.leader], ['follower', null])
})

test('E6: neither a learner nor a replica without a configuration campaigns, nor does it wake up', () => {
  const lab = new Lab({ voters: 1, learners: 1 })
  const learner = new Lab({ voters: 0, learners: 0 })
  learner.raft.campaign()
  learner.pass(5000)
  assert.deepEqual([learner.raft.role, learner.raft.alarmAt], ['follower', null])
  assert.notEqual(lab.raft.alarmAt, null)
})

test('E6: a host that blocks its replica keeps it from leading', () => {
  const lab = new Lab({ voters: 1 })
  lab.raft.setBlocked('cannot apply')
  lab.raft.campaign()
  assert.equal(lab.raft.role, 'follower')
  lab.raft.setBlocked(null)
  lab.raft.campaign()
  assert.equal(lab.raft.role, 'candidate')
})

test('E8: learners vote; a replica that was told of no configuration does not', () => {
  const learner = new Lab({ voters: 3 })
  learner.raft.view.configs.reset(0, {
    configEpoch: 2,
    voters: [{ replicaId: 2, node: 'n2', store: 's2' }],
    learners: [{ replicaId: 1, node: 'n1', store: 's1' }],
    nextReplicaId: 3,
  })
  learner.hear(2, VOTE, { term: 1 })
  assert.deepEqual(granted(learner), [true])
  const inert = new Lab({ voters: 0 })
  assert.deepEqual(inert.hear(2, PRE_VOTE), { kind: 'ignored', reason: 'inert' })
  assert.deepEqual(inert.hear(2, VOTE, { term: 1 }), { kind: 'ignored', reason: 'inert' })
})

test('dissertation §3.10: a transfer waits until the target holds everything, then asks it once', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.propose('a')
  assert.equal(lab.raft.transferTo(2), null)
  assert.deepEqual(
    lab.kinds().filter((kind) => kind.startsWith('timeout')),
    [],
  )
  assert.equal(lab.raft.proposeBar, 'transferring')
  assert.equal(lab.raft.transferTo(3), 'in-flight')
  lab.accepted(2, 2)
  lab.accepted(2, 2)
  assert.deepEqual(
    lab.kinds().filter((kind) => kind.startsWith('timeout')),
    ['timeout-now>2'],
  )
})

test('dissertation §3.10: a transfer that does not succeed is over after an election timeout', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.transferTo(3)
  for (let ms = 0; ms < TIMING.electionMsMin; ms += TIMING.heartbeatMs) {
    assert.equal(lab.raft.proposeBar, 'transferring')
    lab.pass(TIMING.heartbeatMs)
    lab.hear(2, { kind: 'heartbeat-response', position: 0 })
  }
  lab.pass(TIMING.heartbeatMs)
  assert.deepEqual([lab.raft.role, lab.raft.proposeBar], ['leader', null])
})

test('dissertation §3.10: the target campaigns without pre-vote, and voters do not stand by the old leader', () => {
  const target = new Lab({ term: 1 })
  target.heartbeat(2)
  target.hear(2, { kind: 'timeout-now' })
  assert.deepEqual([target.raft.role, target.raft.term], ['candidate', 2])
  target.sync()
  assert.ok(target.sent().some((message) => message.kind === 'vote' && message.transfer))

  const voter = new Lab({ term: 1 })
  voter.heartbeat(2)
  voter.hear(3, { ...VOTE, transfer: true }, { term: 2 })
  assert.equal(granted(voter).at(-1), true)
})

test('dissertation §3.10: only its own leader can make a follower campaign', () => {
  const lab = new Lab({ term: 1 })
  assert.equal(lab.hear(2, { kind: 'timeout-now' }).kind, 'ignored')
  lab.heartbeat(2)
  assert.equal(lab.hear(3, { kind: 'timeout-now' }).kind, 'ignored')
  assert.equal(lab.raft.role, 'follower')
})

test('D1: whose disk hangs neither votes nor campaigns, and a leader falls silent and steps down', () => {
  const voter = new Lab()
  voter.raft.setDiskStalled(true)
  assert.equal(voter.hear(2, VOTE, { term: 1 }).kind, 'ignored')
  assert.equal(voter.hear(2, PRE_VOTE).kind, 'ignored')
  voter.raft.campaign()
  assert.equal(voter.raft.role, 'follower')
  assert.deepEqual(voter.kinds(), [])

  const leader = new Lab()
  leader.leadAndCommit()
  leader.raft.setDiskStalled(true)
  leader.raft.propose('a')
  leader.pass(TIMING.heartbeatMs)
  assert.deepEqual(leader.kinds(), [])
  leader.pass(TIMING.electionMsMin)
  assert.equal(leader.raft.role, 'follower')
})

test('D1: a disk that came back is given an election timeout before anything else', () => {
  const lab = new Lab()
  lab.raft.setDiskStalled(true)
  lab.pass(60_000)
  lab.raft.setDiskStalled(false)
  assert.ok((lab.raft.alarmAt ?? 0) >= 60_000 + TIMING.electionMsMin)
})
