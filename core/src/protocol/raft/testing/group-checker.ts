import { assert } from '../../../base/assert.js'
import type { LogIndex, Term } from '../../../base/ids.js'
import { decodeConfiguration, type ReplicaId, voterDifference } from '../configuration.js'
import type { Configuration } from '../configuration.js'
import type { LogEntry } from '../log-record.js'
import type { RaftMessage } from '../messages.js'
import type { Raft } from '../raft.js'
import type { TestDisk } from './test-disk.js'

/** What one replica was seen to be, in one life. */
interface Seen {
  term: Term
  commit: LogIndex
  applicable: LogIndex
  isLeader: boolean
  last: LogIndex
}

/**
 * The invariants of a group (protocol §12.5, I1 … I9), checked from outside after every event: it sees
 * replicas' getters, what they send and what their disks hold.
 */
export class GroupChecker {
  readonly #leaders = new Map<Term, ReplicaId>()
  /** Committed entries by index, from 1, as the first replica that knew them committed had them. */
  readonly committed: LogEntry[] = []
  readonly #entries = new Map<string, { readonly payload: string; readonly before: Term | null }>()
  readonly #stores = new Map<ReplicaId, string>()
  readonly #seen = new WeakMap<Raft, Seen>()
  #lastConfig: Configuration
  /** First committed index of each term. */
  readonly #termStarts = new Map<Term, LogIndex>()

  constructor(genesis: Configuration) {
    this.#lastConfig = genesis
    for (const { replicaId, store } of genesis.voters) this.#stores.set(replicaId, store)
  }

  /** After each event, of each live replica. */
  observe(raft: Raft): void {
    const { term, commitIndex, applicableIndex, lastIndex } = raft
    const seen = this.#seen.get(raft)
    if (seen !== undefined) {
      assert(term >= seen.term, 'I6: a term fell')
      assert(commitIndex >= seen.commit, 'I6: a commit index fell')
      assert(applicableIndex >= seen.applicable, 'I6: what may be applied fell')
    }
    const isLeader = raft.role === 'leader'
    if (isLeader) this.#observeLeader(raft, seen)
    this.#observeCommits(raft, seen?.commit ?? 0)
    this.#seen.set(raft, {
      term,
      commit: commitIndex,
      applicable: applicableIndex,
      isLeader,
      last: lastIndex,
    })
  }

  #observeLeader(raft: Raft, seen: Seen | undefined): void {
    const { term, view } = raft
    const { replicaId } = view.self
    const known = this.#leaders.get(term)
    assert(known === undefined || known === replicaId, `I1: two leaders in term ${term}`)
    this.#leaders.set(term, replicaId)
    if (seen?.isLeader === true && seen.term === term) {
      assert(raft.lastIndex >= seen.last, 'LD1: a leader cut its own log')
      return
    }
    for (const { index, term: committedTerm } of this.committed) {
      if (index < view.log.base) continue
      assert(
        view.log.termAt(index) === committedTerm,
        `I3: leader ${replicaId} of term ${term} lacks the committed entry ${index}`,
      )
    }
  }

  /** I4: the same entry at the same index, whoever says that it is committed. */
  #observeCommits(raft: Raft, from: LogIndex): void {
    const { view } = raft
    for (let index = from + 1; index <= raft.commitIndex; index += 1) {
      const known = this.committed[index - 1]
      if (known === undefined) {
        const entry = raft.entry(index) ?? view.log.slice(index, 0)?.[0]
        assert(entry !== undefined, `I4: entry ${index} was committed by nobody before`)
        this.#commit(entry)
      } else if (index >= view.log.base) {
        const found = view.log.termAt(index)
        assert(
          found === known.term,
          `I4: entry ${index} is committed with terms ${found} and ${known.term}`,
        )
      }
    }
  }

  #commit(entry: LogEntry): void {
    assert(entry.index === this.committed.length + 1, 'I4: commits go on without a gap')
    this.committed.push(entry)
    if (!this.#termStarts.has(entry.term)) this.#termStarts.set(entry.term, entry.index)
    if (entry.kind !== 'config') return
    const config = decodeConfiguration(entry.payload)
    assert(voterDifference(this.#lastConfig, config) <= 1, 'I7: two voters changed at once')
    assert(config.configEpoch === this.#lastConfig.configEpoch + 1, 'I7: configurations in a row')
    for (const { replicaId, store } of [...config.voters, ...config.learners]) {
      this.#stores.set(replicaId, this.#stores.get(replicaId) ?? store)
      assert(this.#stores.get(replicaId) === store, `I8: replica ${replicaId} has two stores`)
    }
    const start = this.#termStarts.get(entry.term) ?? entry.index
    assert(start < entry.index, 'I7: no entry of its term is committed before a configuration')
    this.#lastConfig = config
  }

  /** The newest committed configuration. */
  get config(): Configuration {
    return this.#lastConfig
  }

  /** I2: one (index, term) has one payload and one entry before it, wherever it is written. */
  entriesWritten(disk: TestDisk, entries: readonly LogEntry[]): void {
    for (const { index, term, payload } of entries) {
      const key = `${index}/${term}`
      const before = disk.termAt(index - 1) ?? null
      const known = this.#entries.get(key)
      if (known === undefined) {
        this.#entries.set(key, { payload, before })
        continue
      }
      assert(known.payload === payload, `I2: two entries ${key}`)
      assert(known.before === before, `I2: entry ${key} follows two terms`)
    }
  }

  /** I7: a leader appends a configuration only in a term that has committed something. */
  configAppended(raft: Raft, termStartIndex: LogIndex): void {
    assert(raft.commitIndex >= termStartIndex, 'I7: a configuration before the term has committed')
  }

  /** I5: what a message promises is on the disk of its sender when it leaves. */
  messageLeaves(message: RaftMessage, disk: TestDisk, leader: Raft | undefined): void {
    assert(!disk.isQuarantined, 'I9: a quarantined replica speaks')
    switch (message.kind) {
      case 'vote':
        assert(
          disk.term > message.term ||
            (disk.term === message.term && disk.vote === message.from.replicaId),
          'I5: asks for votes before its own is durable',
        )
        return
      case 'vote-response':
        if (!message.granted) return
        assert(
          disk.term > message.term ||
            (disk.term === message.term && disk.vote === message.to.replicaId),
          'I5: a vote is given before it is durable',
        )
        return
      case 'append-accepted':
        this.#promises(message.match, message.term, disk, leader)
        return
      case 'snapshot-done':
        this.#promises(message.index, message.term, disk, leader)
        return
      default:
    }
  }

  #promises(match: LogIndex, term: Term, disk: TestDisk, leader: Raft | undefined): void {
    assert(disk.lastIndex >= match, `I5: acknowledges entry ${match} before it is durable`)
    assert(disk.term >= term, 'I5: acknowledges in a term that is not durable')
    if (leader === undefined || disk.term !== term || match <= disk.base.index) return
    const theirs = leader.view.log.termAt(match)
    assert(theirs === undefined || disk.termAt(match) === theirs, 'I5: acknowledges another entry')
  }

  leaderOf(term: Term): ReplicaId | undefined {
    return this.#leaders.get(term)
  }
}
