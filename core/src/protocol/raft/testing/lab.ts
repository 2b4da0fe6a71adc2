import { assert } from '../../../base/assert.js'
import type { Term } from '../../../base/ids.js'
import { Prng } from '../../../base/prng.js'
import { type Configuration, NO_CONFIGURATION, type Replica } from '../configuration.js'
import type { PersistMark } from '../group.js'
import type { LogEntry } from '../log-record.js'
import type { Body, RaftMessage } from '../messages.js'
import type { News } from '../news.js'
import type { Outcome } from '../outcome.js'
import { Raft } from '../raft.js'
import type { SuspectTail } from '../standing.js'
import { TestDisk } from './test-disk.js'

export interface LabOptions {
  /** Replicas 1 … voters vote; the one in the lab is number 1. */
  readonly voters?: number
  readonly learners?: number
  readonly term?: Term
  readonly vote?: number | null
  /** Terms of the entries that its disk holds, from index 1 on. */
  readonly log?: readonly Term[]
  readonly commit?: number
  /** Entries up to here were compacted. */
  readonly base?: number
  readonly suspectTail?: SuspectTail
  readonly hasNoOp?: boolean
  readonly generation?: number
}

export const TIMING = { heartbeatMs: 100, electionMsMin: 1000, electionMsMax: 1999 }

export function replicaOf(id: number): Replica {
  return { replicaId: id, node: `n${id}`, store: `s${id}` }
}

export function configOf(voters: number, learners = 0): Configuration {
  const ids = (from: number, count: number): Replica[] =>
    [...Array(count).keys()].map((at) => replicaOf(from + at))
  return {
    ...NO_CONFIGURATION,
    configEpoch: 1,
    voters: ids(1, voters),
    learners: ids(voters + 1, learners),
    nextReplicaId: voters + learners + 1,
  }
}

export function entriesOf(terms: readonly Term[], from = 1): LogEntry[] {
  return terms.map((term, at) => ({ index: from + at, term, payload: `${from + at}/${term}` }))
}

/** Replica 1 of a group alone; whoever else there is, the test speaks for them. */
export class Lab {
  readonly raft: Raft
  readonly disk: TestDisk
  readonly #generation: number
  #now = 0

  constructor(options: LabOptions = {}) {
    const { voters = 3, learners = 0, term = 0, vote = null, log = [], commit = 0 } = options
    const disk = new TestDisk(replicaOf(1), configOf(voters, learners))
    disk.term = term
    disk.vote = vote
    disk.entries = entriesOf(log)
    disk.applied = commit
    disk.compact(options.base ?? 0)
    this.disk = disk
    this.#generation = options.generation ?? 0
    this.raft = new Raft({
      arc: 0,
      generation: this.#generation,
      self: replicaOf(1),
      start: {
        ...disk.start(),
        ...(options.suspectTail === undefined ? {} : { suspectTail: options.suspectTail }),
      },
      stored: disk,
      timing: TIMING,
      prng: new Prng(1),
      boot: 1,
      hasNoOp: options.hasNoOp ?? true,
    })
  }

  /** A message of replica `id`, in the lab's term unless another is named. */
  hear(id: number, body: Body, header: Partial<RaftMessage> = {}): Outcome {
    const message = {
      arc: 0,
      generation: this.#generation,
      from: replicaOf(id),
      to: replicaOf(1),
      term: this.raft.term,
      ...header,
      ...body,
    }
    return this.raft.step(message as RaftMessage)
  }

  /** An append of replica `id` as leader. */
  append(id: number, after: readonly [number, Term], terms: readonly Term[], commit = 0): Outcome {
    const [prevIndex, prevTerm] = after
    const entries = entriesOf(terms, prevIndex + 1)
    return this.hear(id, { kind: 'append', number: 1, prevIndex, prevTerm, entries, commit })
  }

  heartbeat(id: number, term = this.raft.term, commit = 0): Outcome {
    return this.hear(id, { kind: 'heartbeat', commit, position: 0 }, { term })
  }

  /** Takes what is to be written; the write is on its way. */
  takeWrite(): PersistMark {
    const { records, mark } = this.raft.takeRecords()
    this.disk.write(records, this.raft.view.config)
    return mark
  }

  sync(): void {
    if (this.raft.hasRecords) this.raft.persisted(this.takeWrite())
  }

  sent(): readonly RaftMessage[] {
    return this.raft.takeMessages()
  }

  /** Kinds and receivers of what is sent: `vote>2`. */
  kinds(): string[] {
    return this.sent().map(({ kind, to }) => `${kind}>${to.replicaId}`)
  }

  news(): readonly News[] {
    return this.raft.takeNews()
  }

  pass(ms: number): void {
    this.#now += ms
    this.raft.tick(this.#now)
    const { alarmAt } = this.raft
    if (alarmAt !== null && alarmAt <= this.#now) this.raft.onAlarm()
  }

  /** Wins an election of the next term with replica 2's vote, and drops what it sent for it. */
  lead(): void {
    this.raft.campaign()
    if (this.raft.view.config.voters.length > 1) {
      const candidateTerm = this.raft.term + 1
      this.hear(2, { kind: 'pre-vote-response', candidateTerm, granted: true })
    }
    this.sync()
    if (this.raft.role !== 'leader') this.hear(2, { kind: 'vote-response', granted: true })
    assert(this.raft.role === 'leader', 'it leads')
    this.sent()
  }

  /** Leads, and the first entry of its term is committed and applied. */
  leadAndCommit(): void {
    this.lead()
    this.sync()
    this.accepted(2, this.raft.lastIndex)
    this.apply()
    this.sent()
  }

  accepted(id: number, match: number, number = 1): void {
    this.hear(id, { kind: 'append-accepted', number, match })
  }

  apply(): void {
    this.raft.noteApplied(this.raft.applicableIndex)
  }

  /** Terms of all entries. */
  get terms(): Term[] {
    const { log } = this.raft.view
    return [...Array(log.lastIndex - log.base).keys()].map(
      (at) => log.termAt(log.base + 1 + at) ?? -1,
    )
  }
}
