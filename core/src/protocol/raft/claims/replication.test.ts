import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  APPEND_CHARS_MAX,
  INFLIGHT_CHARS_MAX,
  INFLIGHT_MESSAGES_MAX,
  SNAPSHOT_SILENCE_MS,
  UNCOMMITTED_CHARS_MAX,
  UNCOMMITTED_ENTRIES_MAX,
} from '../limits.js'
import type { RaftMessage } from '../messages.js'
import { Lab, TIMING } from '../testing/lab.js'

type Append = Extract<RaftMessage, { kind: 'append' }>
const appendsTo = (lab: Lab, id: number): Append[] =>
  lab
    .sent()
    .filter(
      (message): message is Append => message.kind === 'append' && message.to.replicaId === id,
    )
const rejected = (prevIndex: number, hintIndex: number, hintTerm: number, number = 1) =>
  ({ kind: 'append-rejected', number, prevIndex, hintIndex, hintTerm }) as const

test('§5.3: a leader appends what is proposed and sends it at once, before its own sync', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.accepted(3, 1)
  lab.sent()
  assert.equal(lab.raft.propose('a'), 2)
  lab.raft.propose('b')
  const sent = lab.sent().map((message) => {
    assert.ok(message.kind === 'append')
    const { to, prevIndex, prevTerm, entries } = message
    return [to.replicaId, prevIndex, prevTerm, entries.map(({ payload }) => payload).join()]
  })
  assert.deepEqual(sent, [
    [2, 1, 1, 'a,b'],
    [3, 1, 1, 'a,b'],
  ])
  assert.ok(lab.raft.hasRecords)
})

test('§5.3: an entry is committed once a majority holds it, and everything before it is, too', () => {
  const lab = new Lab({ voters: 5 })
  lab.raft.campaign()
  for (const id of [2, 3])
    lab.hear(id, { kind: 'pre-vote-response', candidateTerm: 1, granted: true })
  lab.sync()
  for (const id of [2, 3]) lab.hear(id, { kind: 'vote-response', granted: true })
  lab.raft.propose('a')
  lab.sync()
  lab.accepted(2, 2)
  assert.equal(lab.raft.commitIndex, 0)
  lab.accepted(3, 1)
  assert.equal(lab.raft.commitIndex, 1)
  lab.accepted(4, 2)
  assert.equal(lab.raft.commitIndex, 2)
})

test('§5.3: followers learn the commit index from appends and heartbeats, never beyond what fits', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1, 1], 9)
  assert.equal(lab.raft.commitIndex, 2)
  lab.append(2, [2, 1], [1, 1], 2)
  assert.equal(lab.raft.commitIndex, 2)
  lab.heartbeat(2, 1, 3)
  assert.equal(lab.raft.commitIndex, 3)
  lab.heartbeat(2, 1, 1)
  assert.equal(lab.raft.commitIndex, 3)
})

test('§5.3: the commit index goes no further than what an append has confirmed', () => {
  const lab = new Lab({ log: [1, 1, 1, 1], term: 2 })
  lab.append(2, [2, 1], [], 4)
  assert.equal(lab.raft.commitIndex, 2, 'entries 3 and 4 may differ from the leader’s')
})

test('§5.3: a follower takes an append only after the entry before it', () => {
  const table: readonly [
    readonly number[],
    readonly [number, number],
    readonly number[],
    readonly number[] | null,
  ][] = [
    [[], [0, 0], [1, 1], [1, 1]],
    [[1], [1, 1], [1], [1, 1]],
    [[1, 1], [1, 1], [1], [1, 1]],
    [[1, 1, 1], [1, 1], [1], [1, 1, 1]],
    [[1, 1, 1], [1, 1], [2], [1, 2]],
    [
      [1, 1, 1],
      [0, 0],
      [1, 2, 2],
      [1, 2, 2],
    ],
    [[1], [2, 1], [1], null],
    [[1, 1], [2, 2], [2], null],
    [[1, 2, 3], [2, 2], [], [1, 2, 3]],
  ]
  for (const [log, after, terms, expected] of table) {
    const lab = new Lab({ log, term: 3 })
    const outcome = lab.append(2, after, terms)
    const what = `${log} after ${after} + ${terms}`
    assert.deepEqual(lab.terms, expected ?? log, what)
    assert.equal(outcome.kind, expected === null ? 'ignored' : 'done', what)
    lab.sync()
    const [answer] = lab.sent()
    if (expected === null) assert.equal(answer?.kind, 'append-rejected', what)
    else {
      const match = after[0] + terms.length
      assert.deepEqual(answer?.kind === 'append-accepted' && answer.match, match, what)
    }
  }
})

test('§5.3: an append that comes late cuts off nothing of what followed it', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1, 1, 1], 0)
  lab.append(2, [0, 0], [1], 0)
  assert.deepEqual(lab.terms, [1, 1, 1])
})

test('§5.3: an old append is answered with what is committed, which it cannot contradict', () => {
  const lab = new Lab({ log: [1, 1, 1], commit: 2, base: 2, term: 1 })
  lab.append(2, [0, 0], [1], 0)
  lab.append(2, [0, 0], [1, 1, 1, 1], 0)
  lab.sync()
  const matches = lab.sent().map((message) => message.kind === 'append-accepted' && message.match)
  assert.deepEqual(matches, [2, 4])
  assert.throws(() => lab.append(2, [0, 0], [1, 2, 2]), /Leader Completeness/)
})

test('§5.3: hints skip a term at a step, at both sides', () => {
  const table: readonly [
    string,
    readonly number[],
    readonly [number, number],
    readonly [number, number],
  ][] = [
    ['the log is shorter', [1, 1], [5, 2], [2, 1]],
    ['its term there is newer', [1, 1, 3, 3, 3], [5, 2], [2, 1]],
    ['its term there is older', [1, 1, 1, 1, 1], [5, 2], [5, 1]],
    ['several newer terms', [1, 3, 4, 5, 6], [5, 2], [1, 1]],
    ['all of it is newer', [3, 3, 3], [3, 2], [0, 0]],
  ]
  for (const [what, log, prev, hint] of table) {
    const lab = new Lab({ log, term: 6 })
    lab.append(2, prev, [])
    lab.sync()
    const [answer] = lab.sent()
    assert.equal(answer?.kind, 'append-rejected')
    assert.deepEqual(
      [answer.prevIndex, answer.hintIndex, answer.hintTerm],
      [prev[0], ...hint],
      what,
    )
  }
  const leader = new Lab({ log: [1, 2, 2, 5, 5, 5], term: 5 })
  leader.lead()
  leader.hear(3, rejected(6, 5, 4))
  assert.equal(appendsTo(leader, 3).at(-1)?.prevIndex, 3, 'the newest place of term ≤ 4')
})

test('§5.3: probing goes one append at a time; the next after an answer or a heartbeat’s', () => {
  const lab = new Lab({ log: [1, 1], term: 1 })
  lab.lead()
  lab.raft.propose('a')
  lab.raft.propose('b')
  assert.deepEqual(appendsTo(lab, 3), [])
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  assert.equal(appendsTo(lab, 3).length, 1)
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  assert.equal(appendsTo(lab, 3).length, 1)
})

test('§5.3: a rejection that was settled since changes nothing', () => {
  const lab = new Lab({ log: [1, 1, 1], term: 1 })
  lab.lead()
  lab.hear(3, rejected(3, 1, 1))
  lab.accepted(3, 4, 2)
  lab.sent()
  lab.hear(3, rejected(3, 1, 1))
  lab.hear(3, rejected(3, 1, 1))
  assert.deepEqual(lab.news(), [])
  const next = lab.raft.view.progress?.progressOf(3)
  assert.deepEqual([next?.state, next?.match, next?.next], ['replicate', 4, 5])
})

test('§5.3: an entry that was lost on the way is found missing, and sent again', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.accepted(3, 1)
  lab.sent()
  lab.raft.propose('a')
  const [lost] = appendsTo(lab, 3)
  assert.equal(lost?.entries.length, 1)
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  const [empty] = appendsTo(lab, 3)
  assert.deepEqual([empty?.prevIndex, empty?.entries.length], [2, 0])
  lab.hear(3, rejected(2, 1, 1, empty?.number))
  const [again] = appendsTo(lab, 3)
  assert.deepEqual([again?.prevIndex, again?.entries.length], [1, 1])
})

test('§5.3: a leader never cuts its own log; two leaders in a term are a bug', () => {
  const lab = new Lab()
  lab.lead()
  assert.throws(() => lab.append(2, [0, 0], [1, 1]), /R1/)
})

test('§5.4.2, figure 8: an entry of an older term commits only along with one of the own', () => {
  const lab = new Lab({ log: [1, 2], term: 2 })
  lab.lead()
  lab.sync()
  lab.accepted(2, 2)
  lab.accepted(3, 2)
  assert.equal(lab.raft.commitIndex, 0)
  lab.accepted(2, 3)
  assert.equal(lab.raft.commitIndex, 3)
})

test('dissertation §10.2.1: a leader counts itself by its own disk; followers may commit without it', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.raft.propose('a')
  lab.accepted(2, 2)
  assert.equal(lab.raft.commitIndex, 1, 'one of three')
  lab.accepted(3, 2)
  assert.equal(lab.raft.commitIndex, 2, 'two of three')
  assert.equal(lab.raft.applicableIndex, 1, 'it applies only what it holds durably')
  lab.sync()
  assert.equal(lab.raft.applicableIndex, 2)
})

test('dissertation §10.2.1: a single voter commits nothing before its sync returns', () => {
  const lab = new Lab({ voters: 1 })
  lab.raft.campaign()
  assert.equal(lab.raft.role, 'candidate')
  lab.sync()
  assert.equal(lab.raft.role, 'leader')
  const mark = lab.takeWrite()
  assert.equal(lab.raft.commitIndex, 0)
  lab.raft.propose('later')
  lab.raft.persisted(mark)
  assert.equal(lab.raft.commitIndex, 1)
})

test('dissertation §10.2: appends go out behind each other within bounds, then empty ones on heartbeats', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  for (let count = 0; count < INFLIGHT_MESSAGES_MAX; count += 1) {
    lab.raft.propose(`${count}`)
    assert.equal(appendsTo(lab, 2).length, 1)
  }
  lab.raft.propose('one more')
  assert.deepEqual(appendsTo(lab, 2), [])
  lab.hear(2, { kind: 'heartbeat-response', position: 0 })
  const [empty] = appendsTo(lab, 2)
  assert.deepEqual([empty?.entries.length, empty?.prevIndex], [0, INFLIGHT_MESSAGES_MAX + 1])
  lab.accepted(2, 2)
  assert.equal(appendsTo(lab, 2)[0]?.entries[0]?.payload, 'one more')
})

test('appends are cut by characters, and their sum on the way is bounded', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  const payload = 'x'.repeat(APPEND_CHARS_MAX / 2)
  for (let count = 0; count < 6; count += 1) lab.raft.propose(payload)
  assert.deepEqual(
    appendsTo(lab, 2).map(({ entries }) => entries.length),
    [2, 2, 2],
  )
  const big = new Lab()
  big.leadAndCommit()
  big.raft.propose('y'.repeat(INFLIGHT_CHARS_MAX))
  assert.equal(appendsTo(big, 2).length, 1, 'one larger entry goes alone')
  big.raft.propose('z')
  assert.equal(appendsTo(big, 2).length, 0)
})

test('what is proposed and not committed is bounded, in entries and in characters', () => {
  const many = new Lab()
  many.leadAndCommit()
  for (let count = 0; count < UNCOMMITTED_ENTRIES_MAX; count += 1) many.raft.propose('')
  assert.equal(many.raft.proposeBar, 'overloaded')
  many.sync()
  many.accepted(2, 2)
  assert.equal(many.raft.proposeBar, null)

  const big = new Lab()
  big.leadAndCommit()
  big.raft.propose('x'.repeat(UNCOMMITTED_CHARS_MAX))
  assert.equal(big.raft.proposeBar, 'overloaded')
  assert.equal(
    big.raft.changeMembers({ kind: 'add-learner', node: 'a', store: 'b', configEpoch: 1 }),
    'overloaded',
  )
  big.sync()
  big.accepted(2, 2)
  assert.equal(big.raft.proposeBar, null)
})

test('what a term has cut off does not count as uncommitted any more', () => {
  const lab = new Lab({ term: 1 })
  lab.append(2, [0, 0], [1, 1, 1])
  lab.hear(
    3,
    {
      kind: 'append',
      number: 1,
      prevIndex: 0,
      prevTerm: 0,
      entries: [{ index: 1, term: 2, payload: 'a' }],
      commit: 1,
    },
    { term: 2 },
  )
  lab.hear(2, { kind: 'stale-term' }, { term: 3 })
  lab.sync()
  lab.lead()
  lab.raft.propose('x'.repeat(UNCOMMITTED_CHARS_MAX - 1))
  assert.equal(lab.raft.proposeBar, null)
})

test('heartbeats name no commit index beyond what the peer is known to hold', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  lab.pass(TIMING.heartbeatMs)
  const commits = lab.sent().map((message) => message.kind === 'heartbeat' && message.commit)
  assert.deepEqual(commits, [1, 0])
})

test('what has left memory is read from the log for a peer that is behind', () => {
  const lab = new Lab()
  lab.leadAndCommit()
  for (const payload of ['a', 'b', 'c']) lab.raft.propose(payload)
  lab.sync()
  lab.accepted(2, 4)
  lab.raft.release(4)
  lab.sent()
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  const sent = appendsTo(lab, 3).flatMap(({ entries }) => entries.map(({ index }) => index))
  assert.deepEqual(sent.slice(-4), [1, 2, 3, 4])
})

test('§7: who needs entries that are gone gets a snapshot, and the log is held meanwhile', () => {
  const lab = new Lab({ log: [1, 1, 1], commit: 3, base: 2, term: 1 })
  lab.leadAndCommit()
  lab.hear(3, rejected(3, 0, 0))
  assert.deepEqual(lab.news(), [{ kind: 'snapshot-needed', to: 3 }])
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  assert.deepEqual(lab.news(), [], 'it is asked for once')
  const snapshot = { snapshotId: 's', index: 3, term: 1, config: lab.raft.view.config }
  assert.equal(lab.raft.offerSnapshot(3, { ...snapshot, index: 1 }), 'too-old')
  assert.equal(lab.raft.offerSnapshot(3, snapshot), null)
  assert.equal(lab.raft.offerSnapshot(3, snapshot), 'in-flight')
  assert.equal(lab.raft.compactLimit, 3)
  assert.throws(() => lab.raft.compact(4), /on its way/)
  lab.raft.propose('a')
  assert.ok(lab.kinds().every((kind) => kind !== 'append>3'))
  lab.hear(3, { kind: 'snapshot-done', snapshotId: 's', index: 3 })
  assert.equal(appendsTo(lab, 3).at(-1)?.prevIndex, 3)
  assert.equal(lab.raft.compactLimit, 4)
})

test('§7: a snapshot without a sign of its receiver is given up, and the log may be cut again', () => {
  const lab = new Lab({ log: [1, 1, 1], commit: 3, base: 2, term: 1 })
  lab.leadAndCommit()
  lab.hear(3, rejected(3, 0, 0))
  const snapshot = { snapshotId: 's', index: 3, term: 1, config: lab.raft.view.config }
  lab.raft.offerSnapshot(3, snapshot)
  lab.news()
  lab.hear(3, { kind: 'snapshot-offset', snapshotId: 's', offset: 512 })
  assert.deepEqual(
    lab.news().map((news) => news.kind === 'snapshot-send' && news.offset),
    [512],
  )
  const beat = (): void => {
    lab.pass(TIMING.heartbeatMs)
    lab.hear(2, { kind: 'heartbeat-response', position: 0 })
  }
  for (let ms = 0; ms < SNAPSHOT_SILENCE_MS; ms += TIMING.heartbeatMs) {
    assert.equal(lab.raft.compactLimit, 3)
    beat()
  }
  beat()
  assert.equal(lab.raft.compactLimit, 4)
  assert.ok(lab.news().some((news) => news.kind === 'snapshot-over'))
})

test('§7: a receiver that gives up is probed, and asked for again', () => {
  const lab = new Lab({ log: [1, 1, 1], commit: 3, base: 2, term: 1 })
  lab.leadAndCommit()
  lab.hear(3, rejected(3, 0, 0))
  lab.raft.offerSnapshot(3, { snapshotId: 's', index: 3, term: 1, config: lab.raft.view.config })
  lab.hear(3, { kind: 'snapshot-abort', snapshotId: 'other' })
  assert.equal(lab.raft.compactLimit, 3)
  lab.hear(3, { kind: 'snapshot-abort', snapshotId: 's' })
  assert.equal(lab.raft.compactLimit, 4)
  lab.news()
  lab.hear(3, { kind: 'heartbeat-response', position: 0 })
  lab.hear(3, rejected(3, 0, 0, 9))
  assert.deepEqual(lab.news(), [{ kind: 'snapshot-needed', to: 3 }])
})

test('§7: a snapshot takes the place of a log; done is told after the write', () => {
  const lab = new Lab({ log: [1, 1], term: 2 })
  const config = { ...lab.raft.view.config, configEpoch: 4 }
  const snapshot = { snapshotId: 's', index: 9, term: 2, config }
  lab.hear(2, { kind: 'snapshot-begin', snapshot })
  lab.hear(2, { kind: 'snapshot-begin', snapshot })
  assert.deepEqual(
    lab.news().map(({ kind }) => kind),
    ['snapshot-receive'],
  )
  assert.deepEqual(lab.raft.installSnapshot('s'), { kind: 'done' })
  assert.deepEqual([lab.raft.commitIndex, lab.raft.lastIndex, lab.terms], [9, 9, []])
  assert.equal(lab.raft.view.config.configEpoch, 4)
  assert.deepEqual(lab.kinds(), [])
  lab.sync()
  assert.deepEqual(lab.kinds(), ['snapshot-done>2'])
  lab.append(2, [9, 2], [2], 10)
  assert.deepEqual([lab.raft.lastIndex, lab.raft.commitIndex], [10, 10])
})

test('§7: a snapshot of what is committed is ignored; of what the log holds it moves only the commit index', () => {
  const lab = new Lab({ log: [1, 1, 1, 1], commit: 2, term: 1 })
  const { config } = lab.raft.view
  const begin = (index: number, term: number) =>
    lab.hear(2, {
      kind: 'snapshot-begin',
      snapshot: { snapshotId: `${index}`, index, term, config },
    })
  assert.equal(begin(2, 1).kind, 'ignored')
  assert.equal(begin(3, 1).kind, 'ignored')
  assert.deepEqual([lab.raft.commitIndex, lab.terms], [3, [1, 1, 1, 1]])
  assert.equal(begin(4, 2).kind, 'done', 'another entry stands there')
  lab.append(2, [4, 1], [], 4)
  assert.equal(lab.raft.installSnapshot('4').kind, 'ignored', 'it was overtaken')
  assert.deepEqual(lab.terms, [1, 1, 1, 1])
})
