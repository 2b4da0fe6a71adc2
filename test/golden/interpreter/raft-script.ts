import assert from 'node:assert/strict'
import { Prng } from '@gyre/core/internal/base/prng.js'
import {
  type Configuration,
  type MemberChange,
  NO_CONFIGURATION,
} from '@gyre/core/internal/protocol/raft/configuration.js'
import { isFromLeader, type RaftMessage } from '@gyre/core/internal/protocol/raft/messages.js'
import type { News } from '@gyre/core/internal/protocol/raft/news.js'
import { Raft } from '@gyre/core/internal/protocol/raft/raft.js'
import { TestDisk } from '@gyre/core/internal/protocol/raft/testing/test-disk.js'
import { messageWords, nameOf, newsWords, statusWords } from './raft-words.js'

const TIMING = { heartbeatMs: 150, electionMsMin: 900, electionMsMax: 1500 }

interface Machine {
  readonly node: string
  store: string
  disk: TestDisk | null
  raft: Raft | null
  boot: number
}

/**
 * Plays a script on one group: `> verb arguments` in, what happens out. Nothing happens by itself:
 * writes complete by `sync`, messages arrive by `deliver`, time passes by `after`; `settle` does all
 * of that but the time until nothing is left, and tells only news and changes of role; `live` lets
 * time pass beside it.
 */
export class RaftScript {
  readonly #machines: Machine[] = []
  #network: RaftMessage[] = []
  readonly #cut = new Set<string>()
  #now = 0
  #isQuiet = false
  #lines: string[] = []

  /** @returns the lines that it brings about */
  play(command: string): string[] {
    this.#lines = []
    const [verb = '', ...args] = command.split(' ')
    const play = this.#verbs[verb]
    assert(play !== undefined, `no verb ${verb}`)
    play(args)
    return this.#lines
  }

  readonly #verbs: Readonly<Record<string, (args: readonly string[]) => void>> = {
    group: ([voters = '3', spare = '0']) => this.#makeGroup(Number(voters), Number(spare)),
    campaign: ([node]) => this.#with(node, (raft) => raft.campaign()),
    propose: ([node, payload = '']) => this.#with(node, (raft) => this.#propose(raft, payload)),
    add: ([node, other]) => {
      const { node: name, store } = this.#machine(other)
      this.#change(node, { kind: 'add-learner', node: name, store })
    },
    promote: ([node, replica]) =>
      this.#change(node, { kind: 'promote', replicaId: Number(replica) }),
    demote: ([node, replica]) => this.#change(node, { kind: 'demote', replicaId: Number(replica) }),
    remove: ([node, replica]) => this.#change(node, { kind: 'remove', replicaId: Number(replica) }),
    transfer: ([node, replica]) =>
      this.#with(node, (raft) => this.#say(raft.transferTo(Number(replica)) ?? 'begun')),
    read: ([node]) =>
      this.#with(node, (raft) => {
        const asked = raft.read()
        this.#say('read' in asked ? 'asked' : asked.refused)
      }),
    stall: ([node]) => this.#with(node, (raft) => raft.setDiskStalled(true)),
    unstall: ([node]) => this.#with(node, (raft) => raft.setDiskStalled(false)),
    crash: ([node]) => {
      this.#machine(node).raft = null
    },
    boot: ([node]) => this.#boot(this.#machine(node)),
    wipe: ([node]) => {
      const machine = this.#machine(node)
      machine.raft = null
      machine.disk = null
      machine.store = `${machine.store}'`
    },
    /** The disk forgets its newest entries, as if its syncs had lied. */
    forget: ([node, count]) => {
      const { disk } = this.#machine(node)
      disk?.entries.splice(disk.entries.length - Number(count))
    },
    compact: ([node, index]) => {
      const { raft, disk } = this.#machine(node)
      raft?.compact(Number(index))
      disk?.compact(Number(index))
    },
    /** As if it had been on its way for long: a snapshot of machine one at this index goes to another. */
    snapshot: ([node, other, at]) => {
      const { raft } = this.#machine(node)
      const to = this.#machine(other).disk?.self
      assert(raft !== null && to !== undefined, 'both are there')
      const { self: from, log, configs } = raft.view
      const index = Number(at)
      const term = log.termAt(index) ?? raft.term
      const snapshot = { snapshotId: `late-${index}`, index, term, config: configs.at(index) }
      const header = { arc: 0, generation: 0, from, to, term: raft.term }
      this.#network.push({ ...header, kind: 'snapshot-begin', snapshot })
    },
    sync: (nodes) => {
      for (const machine of this.#chosen(nodes)) this.#sync(machine)
    },
    deliver: ([route, kind]) => this.#deliver(route, kind),
    lose: ([route, kind]) => {
      this.#network = this.#network.filter((message) => !isOn(message, route, kind))
    },
    cut: ([one = '', other = '']) => {
      this.#cut.add(`${one}>${other}`).add(`${other}>${one}`)
    },
    heal: () => this.#cut.clear(),
    after: ([ms, ...nodes]) => this.#pass(Number(ms), this.#chosen(nodes)),
    settle: () => this.#settle(),
    live: ([ms]) => this.#live(Number(ms)),
    status: (nodes) => {
      for (const { node, disk, raft } of this.#chosen(nodes)) {
        if (disk !== null) this.#say(statusWords(node, raft))
      }
    },
    network: () => {
      for (const message of this.#network) this.#say(messageWords(message))
    },
  }

  #say(line: string): void {
    this.#lines.push(line)
  }

  #machine(name: string | undefined): Machine {
    const machine = this.#machines[Number(name) - 1]
    assert(machine !== undefined, `no machine ${name}`)
    return machine
  }

  #chosen(names: readonly string[]): readonly Machine[] {
    return names.length === 0 ? this.#machines : names.map((name) => this.#machine(name))
  }

  #makeGroup(voters: number, spare: number): void {
    const count = voters + spare
    const all = [...Array(count).keys()].map((at) => at + 1)
    const config: Configuration = {
      ...NO_CONFIGURATION,
      configEpoch: 1,
      voters: all.slice(0, voters).map((id) => ({ replicaId: id, node: `${id}`, store: `s${id}` })),
      nextReplicaId: voters + 1,
    }
    for (const id of all) {
      const self = config.voters[id - 1]
      const disk = self === undefined ? null : new TestDisk(self, config)
      const machine = { node: `${id}`, store: `s${id}`, disk, raft: null, boot: 0 }
      this.#machines.push(machine)
      if (disk !== null) this.#boot(machine)
    }
  }

  #boot(machine: Machine): void {
    const { disk, node } = machine
    assert(disk !== null, 'boots a replica that is there')
    machine.boot += 1
    machine.raft = new Raft({
      arc: 0,
      generation: 0,
      self: disk.self,
      start: disk.start(),
      stored: disk,
      timing: TIMING,
      prng: new Prng(Number(node)),
      boot: machine.boot,
      hasNoOp: true,
    })
    machine.raft.tick(this.#now)
  }

  #with(name: string | undefined, act: (raft: Raft) => void): void {
    const machine = this.#machine(name)
    assert(machine.raft !== null, `machine ${name} is down`)
    act(machine.raft)
    this.#pump(machine)
  }

  #propose(raft: Raft, payload: string): void {
    const bar = raft.proposeBar
    this.#say(bar ?? `entry ${raft.propose(payload)}`)
  }

  #change(name: string | undefined, change: MemberChange): void {
    this.#with(name, (raft) => {
      const { configEpoch } = raft.view.config
      const answer = raft.changeMembers({ ...change, configEpoch })
      this.#say(typeof answer === 'string' ? answer : `entry ${answer}`)
    })
  }

  #sync({ raft, disk, node }: Machine): void {
    if (raft === null || disk === null || !raft.hasRecords) return
    const { records, mark } = raft.takeRecords()
    const roleBefore = raft.role
    disk.write(records, raft.view.configs.at(raft.view.log.base))
    if (!this.#isQuiet) {
      const words = records.map((record) =>
        record.kind === 'append' ? `append ${record.entries.length}` : record.kind,
      )
      this.#say(`${nameOf(raft.view.self)} writes ${words.join(', ')}`)
    }
    raft.persisted(mark)
    this.#sayRole(raft, roleBefore)
    this.#pump(this.#machine(node))
  }

  #deliver(route: string | undefined, kind: string | undefined): void {
    const chosen = this.#network.filter((message) => isOn(message, route, kind))
    this.#network = this.#network.filter((message) => !isOn(message, route, kind))
    for (const message of chosen) this.#arrive(message)
  }

  #arrive(message: RaftMessage): void {
    if (this.#cut.has(`${message.from.node}>${message.to.node}`)) return
    const machine = this.#machine(message.to.node)
    if (machine.disk === null && isFromLeader(message) && message.to.store === machine.store) {
      machine.disk = new TestDisk(message.to, null)
      this.#boot(machine)
      this.#say(`${nameOf(message.to)} is made on machine ${machine.node}`)
    }
    const { raft } = machine
    if (raft === null) {
      if (machine.disk === null) this.#network.push(elsewhere(message))
      return
    }
    const roleBefore = raft.role
    const outcome = raft.step(message)
    const isIgnored = outcome.kind === 'ignored'
    const why = isIgnored ? `: ignored, ${outcome.reason}` : ''
    if (!this.#isQuiet) this.#say(`${messageWords(message)}${why}`)
    this.#sayRole(raft, roleBefore)
    this.#pump(machine)
  }

  #sayRole(raft: Raft, before: string): void {
    if (raft.role === before) return
    this.#say(`${nameOf(raft.view.self)} becomes ${raft.role} t${raft.term}`)
  }

  #pass(ms: number, machines: readonly Machine[]): void {
    this.#now += ms
    for (const { raft } of this.#machines) raft?.tick(this.#now)
    for (const machine of machines) {
      const { raft } = machine
      if (raft === null || raft.alarmAt === null || raft.alarmAt > this.#now) continue
      const roleBefore = raft.role
      raft.onAlarm()
      this.#sayRole(raft, roleBefore)
      this.#pump(machine)
    }
  }

  #settle(): void {
    this.#isQuiet = true
    for (let round = 0; round < 200; round += 1) {
      for (const machine of this.#machines) this.#sync(machine)
      if (this.#network.length === 0 && !this.#hasRecords) break
      this.#deliver(undefined, undefined)
    }
    this.#isQuiet = false
    assert.equal(this.#network.length, 0, 'it settles')
  }

  get #hasRecords(): boolean {
    return this.#machines.some(({ raft }) => raft?.hasRecords)
  }

  #live(ms: number): void {
    const end = this.#now + ms
    while (this.#now < end) {
      this.#pass(Math.min(TIMING.heartbeatMs, end - this.#now), this.#machines)
      this.#settle()
    }
  }

  #pump({ raft }: Machine): void {
    if (raft === null) return
    this.#network.push(...raft.takeMessages())
    if (raft.applicableIndex > raft.view.appliedIndex) raft.noteApplied(raft.applicableIndex)
    for (const news of raft.takeNews()) this.#onNews(raft, news)
  }

  /** Snapshots come whole and at once. */
  #onNews(raft: Raft, news: News): void {
    this.#say(`${nameOf(raft.view.self)}: ${newsWords(news)}`)
    if (news.kind === 'snapshot-needed') {
      const { appliedIndex: index, log, configs } = raft.view
      const term = log.termAt(index) ?? 0
      const snapshot = { snapshotId: `at-${index}`, index, term, config: configs.at(index) }
      raft.offerSnapshot(news.to, snapshot)
    }
    if (news.kind === 'snapshot-receive') raft.installSnapshot(news.snapshot.snapshotId)
    this.#pump(this.#machine(raft.view.self.node))
  }
}

function isOn(message: RaftMessage, route: string | undefined, kind: string | undefined): boolean {
  const isRoute =
    route === undefined || route === '*' || route === `${message.from.node}>${message.to.node}`
  return isRoute && (kind === undefined || kind === message.kind)
}

/** What a store without the replica says (W1). */
function elsewhere({ arc, generation, from, to, term }: RaftMessage): RaftMessage {
  return { arc, generation, from: to, to: from, term, kind: 'store-mismatch' }
}
