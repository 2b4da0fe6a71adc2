import { assert } from '../../../base/assert.js'
import type { Instant, LogIndex } from '../../../base/ids.js'
import { Prng } from '../../../base/prng.js'
import {
  type Configuration,
  type MemberChange,
  NO_CONFIGURATION,
  type Replica,
  type ReplicaId,
  replicaIn,
  soleVoter,
} from '../configuration.js'
import type { GroupWrite } from '../group.js'
import { isFromLeader, isNotice, type RaftMessage, type Snapshot } from '../messages.js'
import type { News } from '../news.js'
import { Raft } from '../raft.js'
import { GroupChecker } from './group-checker.js'
import { TestDisk } from './test-disk.js'

/** What a run may do; drawn from the seed, so that some runs know no loss, others no crash. */
interface Rates {
  readonly loss: number
  readonly double: number
  readonly crash: number
  readonly partition: number
  readonly members: number
  readonly transfer: number
  readonly stall: number
  readonly wipe: number
  readonly compact: number
  readonly diskSpeed: number
  /** How often time passes instead of a message, and how often it leaps: calm runs get far. */
  readonly haste: number
  readonly leap: number
}

interface TakenWrite extends GroupWrite {
  readonly resetConfig: Configuration | null
}

/** One machine: at most one replica of the arc, its disk, its writes on their way. */
interface Machine {
  readonly node: string
  store: string
  disk: TestDisk | null
  raft: Raft | null
  boot: number
  /** Durable: replicas of this arc below it are gone from this store. */
  tombstone: ReplicaId
  writes: TakenWrite[]
  isStalled: boolean
  pendingReset: Configuration | null
  /** Snapshots announced to it and not yet here. */
  receiving: Snapshot | null
  /** Index of each term's first entry, while it leads. */
  termStart: LogIndex
}

const ARC = 5
const TIMING = { heartbeatMs: 150, electionMsMin: 900, electionMsMax: 1500 }
const READ_FLOORS_MAX = 500

/**
 * A group on a network and on disks that do their worst, all by one seed: messages are lost, doubled
 * and overtaken; machines crash between any two effects and keep what was durable, and any number of
 * the writes that were on their way; members come and go; leadership is handed over; snapshots take
 * the place of logs; disks stall and are wiped. After every event the checker looks at everything.
 *
 * Then it heals, and has to get going again.
 *
 * Long on purpose: one world, whose events share all of its state.
 */
export class RandomGroup {
  readonly #prng: Prng
  readonly #rates: Rates
  readonly #machines: Machine[]
  readonly #checker: GroupChecker
  #now: Instant = 0
  #network: RaftMessage[] = []
  readonly #cut = new Set<string>()
  #proposals = 0
  #isHealed = false
  /** Reads asked for: what was committed for sure when they were asked. */
  readonly #readFloors = new Map<string, LogIndex>()
  readonly counts = new Map<string, number>()

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    this.#rates = this.#drawRates()
    const voters = this.#prng.pick([1, 3, 3, 3, 5])
    const genesis = genesisOf(voters)
    this.#checker = new GroupChecker(genesis)
    this.#machines = [...Array(voters + 2).keys()].map((at) => machineOf(at, genesis))
    for (const machine of this.#machines) if (machine.disk !== null) this.#boot(machine)
  }

  run(events: number): void {
    for (let event = 0; event < events; event += 1) {
      this.#event()
      this.#observeAll()
    }
    this.#heal()
  }

  #drawRates(): Rates {
    const draw = (most: number): number =>
      this.#prng.chance(0.3) ? 0 : this.#prng.below(1000 * most) / 1000
    return {
      loss: draw(0.3),
      double: draw(0.3),
      crash: draw(0.03),
      partition: draw(0.02),
      members: draw(0.15),
      transfer: draw(0.03),
      stall: draw(0.01),
      wipe: this.#prng.chance(0.7) ? 0 : 0.002,
      compact: draw(0.1),
      diskSpeed: 0.3 + this.#prng.below(600) / 1000,
      haste: this.#prng.pick([0.03, 0.03, 0.06, 0.25]),
      leap: this.#prng.pick([0, 0.01, 0.05]),
    }
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  // ---- events ---------------------------------------------------------------------------------------

  #event(): void {
    const { crash, partition, members, transfer, stall, wipe, compact, diskSpeed } = this.#rates
    const prng = this.#prng
    const machine = prng.pick(this.#machines)
    if (prng.chance(crash)) return this.#crashOrBoot(machine)
    if (prng.chance(partition)) return this.#changePartition()
    if (prng.chance(members)) return this.#changeMembers()
    if (prng.chance(transfer)) return this.#transfer()
    if (prng.chance(stall)) return this.#stall(machine)
    if (prng.chance(wipe)) return this.#wipe(machine)
    if (prng.chance(compact)) return this.#compact(machine)
    if (prng.chance(diskSpeed)) this.#disk(machine)
    if (prng.chance(0.15)) this.#propose()
    if (prng.chance(0.05)) this.#read(machine)
    if (prng.chance(this.#rates.haste) || this.#network.length === 0) return this.#passTime()
    this.#deliver()
  }

  #passTime(): void {
    const isLeap = !this.#isHealed && this.#prng.chance(this.#rates.leap)
    this.#now += isLeap ? this.#prng.below(4000) : 1 + this.#prng.below(120)
    for (const machine of this.#machines) {
      const { raft } = machine
      if (raft === null) continue
      const at = raft.alarmAt
      if (at === null || at > this.#now) continue
      raft.tick(this.#now)
      raft.onAlarm()
      this.#pump(machine)
    }
  }

  #deliver(): void {
    const at = this.#prng.below(this.#network.length)
    const message = this.#network[at]
    if (message === undefined) return
    const isKept = !this.#isHealed && this.#prng.chance(this.#rates.double)
    if (!isKept) this.#network.splice(at, 1)
    if (!this.#isHealed && this.#prng.chance(this.#rates.loss)) return
    if (this.#cut.has(pairOf(message.from.node, message.to.node))) return
    this.#arrive(message)
  }

  #arrive(message: RaftMessage): void {
    const machine = this.#machines.find(({ node }) => node === message.to.node)
    if (machine === undefined || machine.boot < 0) return
    if (machine.store === message.to.store) this.#makeReplica(machine, message)
    if (machine.raft === null) {
      if (machine.store !== message.to.store && !isNotice(message)) {
        this.#network.push(answerFor(message))
      }
      return
    }
    machine.raft.tick(this.#now)
    const outcome = machine.raft.step(message)
    this.#count(outcome.kind === 'ignored' ? `ignored ${outcome.reason}` : message.kind)
    this.#pump(machine)
  }

  /** A leader names a replica that is not here yet, in this very store (R1). */
  #makeReplica(machine: Machine, message: RaftMessage): void {
    const { replicaId } = message.to
    if (!isFromLeader(message) || replicaId < machine.tombstone) return
    if (machine.disk !== null && machine.disk.self.replicaId >= replicaId) return
    if (machine.disk !== null) this.#destroy(machine)
    machine.disk = new TestDisk(message.to, null)
    this.#boot(machine)
    this.#count('replica made')
  }

  #disk(machine: Machine): void {
    if (machine.raft === null || machine.isStalled) return
    if (machine.writes.length > 0 && this.#prng.chance(0.6)) return this.#completeWrite(machine)
    if (machine.raft.hasRecords) this.#takeWrite(machine)
  }

  #takeWrite(machine: Machine): void {
    const { raft } = machine
    if (raft === null) return
    machine.writes.push({ ...raft.takeRecords(), resetConfig: machine.pendingReset })
    machine.pendingReset = null
  }

  #completeWrite(machine: Machine): void {
    const write = machine.writes.shift()
    const { raft } = machine
    if (write === undefined || raft === null) return
    this.#persist(machine, write)
    raft.tick(this.#now)
    raft.persisted(write.mark)
    this.#pump(machine)
  }

  #persist({ disk }: Machine, { records, resetConfig }: TakenWrite): void {
    if (disk === null) return
    disk.write(records, resetConfig)
    for (const record of records) {
      if (record.kind === 'append') this.#checker.entriesWritten(disk, record.entries)
    }
  }

  #crashOrBoot(machine: Machine): void {
    if (machine.disk === null) return
    if (machine.raft === null) return this.#boot(machine)
    this.#crash(machine)
  }

  /** Of the writes on their way, those that come first may have reached the disk. */
  #crash(machine: Machine): void {
    const kept = this.#prng.below(machine.writes.length + 1)
    for (const write of machine.writes.slice(0, kept)) this.#persist(machine, write)
    machine.writes = []
    machine.raft = null
    machine.pendingReset = null
    machine.receiving = null
    machine.termStart = 0
    this.#count('crash')
  }

  #boot(machine: Machine): void {
    const { disk } = machine
    assert(disk !== null, 'boots a replica that is there')
    machine.boot += 1
    machine.isStalled = false
    machine.raft = new Raft({
      arc: ARC,
      generation: 0,
      self: disk.self,
      start: disk.start(),
      stored: disk,
      timing: TIMING,
      prng: this.#prng.fork(machine.node),
      boot: machine.boot,
      hasNoOp: true,
    })
    machine.raft.tick(this.#now)
  }

  #changePartition(): void {
    if (this.#cut.size > 0 && this.#prng.chance(0.5)) return this.#cut.clear()
    const one = this.#prng.pick(this.#machines)
    const isWhole = this.#prng.chance(0.5)
    for (const other of this.#machines) {
      if (other === one || !(isWhole || this.#prng.chance(0.5))) continue
      this.#cut.add(pairOf(one.node, other.node))
      if (this.#prng.chance(0.7)) this.#cut.add(pairOf(other.node, one.node))
    }
  }

  #leaders(): Machine[] {
    return this.#machines.filter(({ raft }) => raft?.role === 'leader')
  }

  #propose(): void {
    const leaders = this.#leaders()
    if (leaders.length === 0) return
    const machine = this.#prng.pick(leaders)
    const { raft } = machine
    if (raft === null || raft.proposeBar !== null) return
    raft.tick(this.#now)
    this.#proposals += 1
    raft.propose(`p${this.#proposals}`)
    this.#pump(machine)
  }

  #read(machine: Machine): void {
    const { raft } = machine
    if (raft === null || this.#readFloors.size > READ_FLOORS_MAX) return
    raft.tick(this.#now)
    const asked = raft.read()
    if (!('read' in asked)) return
    const key = readKey(raft, asked.read)
    assert(!this.#readFloors.has(key), 'the number of a read is never used again')
    this.#readFloors.set(key, this.#checker.committed.length)
    this.#pump(machine)
  }

  #transfer(): void {
    const leaders = this.#leaders()
    if (leaders.length === 0) return
    const machine = this.#prng.pick(leaders)
    const { raft } = machine
    if (raft === null) return
    raft.tick(this.#now)
    const refusal = raft.transferTo(this.#prng.pick(raft.view.config.voters).replicaId)
    if (refusal === null) this.#count('transfer')
    this.#pump(machine)
  }

  #changeMembers(): void {
    const leaders = this.#leaders()
    if (leaders.length === 0) return
    const machine = this.#prng.pick(leaders)
    const { raft } = machine
    if (raft === null) return
    raft.tick(this.#now)
    const change = this.#drawChange(raft.view.config)
    if (change === null) return
    const { configEpoch } = raft.view.config
    const answer = raft.changeMembers({ ...change, configEpoch })
    this.#count(typeof answer === 'string' ? `change ${answer}` : `change ${change.kind}`)
    if (typeof answer === 'number') this.#checker.configAppended(raft, machine.termStart)
    this.#pump(machine)
  }

  #drawChange({ voters, learners }: Configuration): MemberChange | null {
    const prng = this.#prng
    const members = [...voters, ...learners]
    const lost = voters.find((voter) => !this.#holds(voter))
    if (lost !== undefined) return { kind: 'remove', replicaId: lost.replicaId }
    if (learners.length > 0 && prng.chance(0.6)) {
      return { kind: 'promote', replicaId: prng.pick(learners).replicaId }
    }
    if (prng.chance(0.5)) {
      const free = this.#machines.filter(({ node }) => !members.some((one) => one.node === node))
      if (free.length === 0) return null
      const { node, store } = prng.pick(free)
      return { kind: 'add-learner', node, store }
    }
    if (voters.length <= 2) return null
    const kind = prng.chance(0.3) ? 'demote' : 'remove'
    return { kind, replicaId: prng.pick(members).replicaId }
  }

  /** With proof of loss nobody waits (protocol §4.6, C3). */
  #replace(machine: Machine, raft: Raft, replicaId: ReplicaId): void {
    const { configEpoch } = raft.view.config
    const answer = raft.changeMembers({ kind: 'remove', replicaId, configEpoch })
    this.#count(typeof answer === 'string' ? `replace ${answer}` : 'replace')
    if (typeof answer === 'number') this.#checker.configAppended(raft, machine.termStart)
    this.#pump(machine)
  }

  #stall(machine: Machine): void {
    if (machine.raft === null) return
    machine.isStalled = !machine.isStalled
    machine.raft.tick(this.#now)
    machine.raft.setDiskStalled(machine.isStalled)
    this.#pump(machine)
  }

  /**
   * A lost disk: the machine comes back with another store, the old replica never. Only while every
   * configuration that anybody may act by keeps a majority: more is what no group survives.
   */
  #wipe(machine: Machine): void {
    if (
      machine.disk === null ||
      !this.#configs().every((config) => this.#canSpare(config, machine))
    ) {
      return
    }
    machine.raft = null
    machine.disk = null
    machine.writes = []
    machine.receiving = null
    machine.pendingReset = null
    machine.isStalled = false
    machine.tombstone = 0
    machine.store = `${machine.store}'`
    this.#count('wipe')
  }

  #configs(): Configuration[] {
    return this.#machines.flatMap(({ disk, raft }) => [
      ...(disk?.configs().map(({ config }) => config) ?? []),
      ...(raft === null ? [] : [raft.view.config]),
    ])
  }

  /** @param machine null: all stay */
  #canSpare({ voters }: Configuration, machine: Machine | null): boolean {
    const left = voters.filter((voter) => voter.node !== machine?.node && this.#holds(voter))
    return voters.length === 0 || left.length * 2 > voters.length
  }

  #holds(replica: Replica): boolean {
    return this.#machines.some(
      ({ disk }) => disk?.self.replicaId === replica.replicaId && disk.self.store === replica.store,
    )
  }

  #compact({ raft, disk }: Machine): void {
    if (raft === null || disk === null) return
    const limit = Math.min(disk.applied, raft.compactLimit)
    if (limit <= disk.base.index) return
    raft.tick(this.#now)
    raft.compact(limit)
    disk.compact(limit)
    this.#count('compact')
  }

  #destroy(machine: Machine): void {
    machine.tombstone = (machine.disk?.self.replicaId ?? 0) + 1
    machine.disk = null
    machine.raft = null
    machine.writes = []
    machine.receiving = null
    machine.pendingReset = null
    this.#count('destroy')
  }

  // ---- what a host does after each input -----------------------------------------------------------------

  /** Takes messages and news, and applies what may be applied. */
  #pump(machine: Machine): void {
    const { raft, disk } = machine
    if (raft === null || disk === null) return
    const messages = raft.takeMessages()
    for (const message of messages) {
      const leader = this.#machines.find(
        (other) =>
          other.raft?.term === message.term &&
          other.raft.role === 'leader' &&
          other.raft.view.self.replicaId === message.to.replicaId,
      )
      this.#checker.messageLeaves(message, disk, leader?.raft ?? undefined)
      this.#network.push(message)
    }
    if (raft.role === 'leader' && machine.termStart === 0) {
      machine.termStart = this.#firstOfTerm(raft)
    } else if (raft.role !== 'leader') machine.termStart = 0
    this.#apply(raft, disk)
    for (const news of raft.takeNews()) this.#onNews(machine, raft, news)
  }

  #firstOfTerm(raft: Raft): LogIndex {
    let index = raft.lastIndex
    while (raft.view.log.termAt(index - 1) === raft.term) index -= 1
    return index
  }

  #apply(raft: Raft, disk: TestDisk): void {
    if (raft.applicableIndex > raft.view.appliedIndex) {
      raft.noteApplied(raft.applicableIndex)
      if (this.#prng.chance(0.5)) raft.release(raft.applicableIndex)
    }
    // A state commit is durable now and then, never ahead of the log.
    const isDurable = raft.view.log.base <= disk.lastIndex && this.#prng.chance(0.3)
    if (isDurable) disk.applied = Math.max(disk.applied, raft.view.appliedIndex)
  }

  #onNews(machine: Machine, raft: Raft, news: News): void {
    this.#count(`news ${news.kind}`)
    switch (news.kind) {
      case 'read-ready':
        return this.#checkRead(raft, news.read, news.index)
      case 'snapshot-needed':
        return this.#offerSnapshot(machine, raft, news.to)
      case 'snapshot-send':
        return
      case 'snapshot-receive':
        machine.receiving = news.snapshot
        return this.#receive(machine, raft)
      case 'quarantined':
        if (machine.disk !== null) machine.disk.isQuarantined = true
        return
      case 'replica-lost':
        return this.#replace(machine, raft, news.replicaId)
      case 'removed':
        return this.#destroy(machine)
      default:
        return
    }
  }

  #checkRead(raft: Raft, read: number, index: LogIndex): void {
    const floor = this.#readFloors.get(readKey(raft, read))
    assert(floor !== undefined, 'only what was asked is answered')
    assert(index >= floor, `I20: a read of ${index} misses what was committed up to ${floor}`)
  }

  #offerSnapshot(machine: Machine, raft: Raft, to: ReplicaId): void {
    const { disk } = machine
    if (disk === null) return
    const index = raft.view.appliedIndex
    const term = raft.view.log.termAt(index)
    if (term === undefined) return
    const config = raft.view.configs.at(index)
    const snapshotId = `${raft.view.self.replicaId}.${machine.boot}.${index}.${this.#now}`
    raft.offerSnapshot(to, { snapshotId, index, term, config })
    this.#pump(machine)
  }

  /** Chunks come over another connection: at some time, or never. */
  #receive(machine: Machine, raft: Raft): void {
    const { receiving } = machine
    if (receiving === null) return
    if (!this.#isHealed && this.#prng.chance(0.2)) {
      raft.abortSnapshot(receiving.snapshotId)
      this.#pump(machine)
      return
    }
    if (this.#prng.chance(0.3)) raft.snapshotOffset(receiving.snapshotId, 1)
    const outcome = raft.installSnapshot(receiving.snapshotId)
    if (outcome.kind === 'done') machine.pendingReset = receiving.config
    machine.receiving = null
    this.#count(`install ${outcome.kind}`)
    // Rows and log start are one batch: the write is taken before anything else can be.
    this.#takeWrite(machine)
    this.#pump(machine)
  }

  #observeAll(): void {
    for (const { raft } of this.#machines) if (raft !== null) this.#checker.observe(raft)
  }

  // ---- the end -------------------------------------------------------------------------------------------

  /** Nothing breaks any more: a leader must come, commit, and bring everybody up to date. */
  #heal(): void {
    this.#isHealed = true
    this.#cut.clear()
    for (const machine of this.#machines) {
      if (machine.raft !== null && machine.isStalled) this.#stall(machine)
      if (machine.raft === null && machine.disk !== null) this.#boot(machine)
    }
    // A learner may be promoted just after its disk was lost: two voters do not survive that.
    if (!this.#configs().every((config) => this.#canSpare(config, null))) return
    for (let round = 0; round < HEALING_ROUNDS; round += 1) {
      for (const machine of this.#machines) {
        this.#disk(machine)
        this.#completeWrite(machine)
      }
      if (this.#network.length === 0 || this.#prng.chance(0.1)) this.#passTime()
      for (let count = 0; count < 8 && this.#network.length > 0; count += 1) {
        this.#deliver()
        this.#observeAll()
      }
      this.#observeAll()
      if (round % 50 === 0) this.#propose()
      if (round > 400 && this.#isAtRest()) return
    }
    throw new Error(`no progress after it was healed: ${this.#describe()}`)
  }

  #isAtRest(): boolean {
    const leader = this.#leaders().toSorted((a, b) => (b.raft?.term ?? 0) - (a.raft?.term ?? 0))[0]
    const raft = leader?.raft
    if (raft === null || raft === undefined || !raft.mayServe) return false
    const { config } = raft.view
    return this.#machines.every((machine) => {
      if (machine.raft === null) return true
      const { self, standing } = machine.raft.view
      const isMember = replicaIn(config, self.replicaId)?.store === self.store
      if (!isMember || standing.out !== null) return true
      return machine.raft.applicableIndex === raft.lastIndex
    })
  }

  #describe(): string {
    return this.#machines
      .map(({ raft, node }) =>
        raft === null
          ? `${node} -`
          : `${node} r${raft.view.self.replicaId} ${raft.role} t${raft.term} c${raft.commitIndex}/${raft.lastIndex}`,
      )
      .join(', ')
  }
}

const HEALING_ROUNDS = 20_000

function genesisOf(voters: number): Configuration {
  if (voters === 1) return soleVoter('n1', 's1')
  const all = [...Array(voters).keys()].map((at) => ({
    replicaId: at + 1,
    node: `n${at + 1}`,
    store: `s${at + 1}`,
  }))
  return { ...NO_CONFIGURATION, configEpoch: 1, voters: all, nextReplicaId: voters + 1 }
}

function machineOf(at: number, genesis: Configuration): Machine {
  const self = genesis.voters[at]
  return {
    node: `n${at + 1}`,
    store: `s${at + 1}`,
    disk: self === undefined ? null : new TestDisk(self, genesis),
    raft: null,
    boot: 0,
    tombstone: 0,
    writes: [],
    isStalled: false,
    pendingReset: null,
    receiving: null,
    termStart: 0,
  }
}

function readKey(raft: Raft, read: number): string {
  const { replicaId, store } = raft.view.self
  return `${replicaId}@${store}/${read}`
}

function pairOf(from: string, to: string): string {
  return `${from}>${to}`
}

/** What a store without the replica says: another store is meant (W1). */
function answerFor({ arc, generation, from, to, term }: RaftMessage): RaftMessage {
  return { arc, generation, from: to, to: from, term, kind: 'store-mismatch' }
}
