import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArcId, LogIndex } from '@gyre/core/internal/base/ids.js'
import { Prng } from '@gyre/core/internal/base/prng.js'
import type { Clock } from '@gyre/core/internal/ports/clock.js'
import type { Link } from '@gyre/core/internal/ports/link.js'
import type { RecoveredArc } from '@gyre/core/internal/ports/log-store.js'
import { Engine } from '@gyre/core/internal/protocol/node/engine.js'
import type {
  FromApi,
  FromLedgerThread,
  FromServices,
  ToApi,
  ToLedgerThread,
  ToServices,
} from '@gyre/core/internal/protocol/node/messages.js'
import { EngineRuntime } from '@gyre/core/internal/runtime/engine-runtime.js'
import { LogBench } from './log-fixture.js'

const BIG = 'x'.repeat(25_000)

test('full disk: an idle node gives back every segment of the log that nothing needs', () => {
  const node = new EngineOverLog()
  for (let n = 0; n < 200; n += 1) node.propose()
  assert.ok(node.segments > 10, `${node.segments} segments before the disk is full`)
  node.bench.files.setFull(true)
  while (node.propose() === 'taken') continue
  node.bench.settle(5_000)
  assert.deepEqual([node.segments, node.bench.failures], [1, []])
})

test('full disk: a log that has room itself gives back what the state lacks', () => {
  const node = new EngineOverLog()
  for (let n = 0; n < 200; n += 1) node.propose()
  node.checkpoint()
  assert.ok(node.segments > 10, `${node.segments} segments while there is room`)
  node.setStateFull(true)
  assert.ok(node.segments <= 2, `${node.segments} segments when the state has none`)
  assert.match(node.propose(), /^overloaded: the disk is full/)
  node.setStateFull(false)
  assert.equal(node.propose(), 'taken')
})

test('full disk: the refusal of new work names what is lacking', () => {
  const node = new EngineOverLog()
  node.bench.files.setOutOfDescriptors(true)
  while (node.propose() === 'taken') continue
  assert.match(node.propose(), /^overloaded: too many files are open/)
  node.bench.files.setOutOfDescriptors(false)
  node.bench.settle()
  assert.equal(node.propose(), 'taken')
})

test('full disk: of an arc that is to be rebuilt the log keeps all that it still has, whatever was durable', () => {
  const node = new EngineOverLog()
  for (let n = 0; n < 3; n += 1) node.propose()
  node.checkpoint()
  node.stopArc(0)
  for (let n = 0; n < 100; n += 1) node.propose(1)
  node.checkpoint()
  node.setStateFull(true)
  assert.ok(node.segments <= 2, `${node.segments} segments`)
  const { firstIndex, lastIndex } = node.recovered(0)
  assert.deepEqual([firstIndex, lastIndex], [1, 4])
})

/** An engine over a real log; its ledger applies at once and is durable when it is asked to be. */
class EngineOverLog {
  readonly bench = new LogBench({ segmentBytes: 512 * 1024, retainBytes: 64 * 1024 * 1024 })
  readonly #api = new OneSide<ToApi, FromApi>()
  readonly #ledger = new OneSide<ToLedgerThread, FromLedgerThread>()
  readonly #services = new OneSide<ToServices, FromServices>()
  readonly #applied = new Map<ArcId, LogIndex>()

  constructor() {
    this.bench.open('create')
    const engine = new Engine({
      self: { node: 'me', boot: 1 },
      arcCount: 2,
      recovered: new Map(),
      prng: new Prng(1),
    })
    new EngineRuntime({
      engine,
      log: this.bench.log,
      clock: this.#clock(),
      api: this.#api,
      ledger: this.#ledger,
      services: this.#services,
    }).start()
    this.#ledger.onSend = (message) => this.#onLedger(message)
    this.#ledger.receive({ kind: 'loaded', applied: [] })
    const body = JSON.stringify({ services: [] })
    this.#services.receive({ kind: 'offers', slots: {}, totalSlots: 0, body })
    this.bench.settle()
  }

  get segments(): number {
    return this.bench.log.stats.segments
  }

  /** One large command. @returns 'taken', or the code and text of its refusal */
  propose(arc: ArcId = 0): string {
    let answer = 'taken'
    this.#api.onSend = (message) => {
      if (message.kind !== 'reply' || message.reply.ok) return
      answer = `${message.reply.code}: ${message.reply.message}`
    }
    const body = JSON.stringify({ kind: 'test', value: BIG })
    this.#api.receive({ kind: 'propose', request: 1, arc, needs: [], sheddable: true, body })
    this.bench.settle()
    return answer
  }

  checkpoint(): void {
    this.#onLedger({ kind: 'checkpoint' })
    this.bench.settle()
  }

  /** Its rows have rotted. */
  stopArc(arc: ArcId): void {
    this.#applied.delete(arc)
    const code = 'arc_unavailable'
    this.#ledger.receive({ kind: 'stopped-arc', arc, index: 0, code, message: 'a row has rotted' })
    this.bench.settle()
  }

  /** What the next life finds of an arc. */
  recovered(arc: ArcId): RecoveredArc {
    this.bench.kill()
    this.bench.open()
    const found = this.bench.log.recovered.arcs.get(arc)
    assert.ok(found !== undefined)
    return found
  }

  setStateFull(full: boolean): void {
    this.#ledger.receive({ kind: 'state-full', full })
    this.bench.settle()
  }

  #onLedger(message: ToLedgerThread): void {
    if (message.kind === 'entry') {
      const { arc, index } = message
      this.#applied.set(arc, index)
      this.bench.time.after(0, () => this.#ledger.receive({ kind: 'applied', arc, index }))
    } else if (message.kind === 'checkpoint') {
      const applied = [...this.#applied]
      this.bench.time.after(5, () => this.#ledger.receive({ kind: 'durable', applied }))
    }
  }

  #clock(): Clock {
    const { time } = this.bench
    return {
      now: () => ({ mono: time.now, wall: time.now }),
      alarm: (delayMs, ring) => time.after(delayMs, ring),
      soon: (run) => void time.after(0, run),
    }
  }
}

/** The engine's side of a link whose other side is the test. */
class OneSide<Out, In> implements Link<Out, In> {
  onSend: (message: Out) => void = () => undefined
  #receive: (messages: readonly In[]) => void = () => undefined

  send(message: Out): void {
    this.onSend(message)
  }

  onReceive(receive: (messages: readonly In[]) => void): void {
    this.#receive = receive
  }

  receive(message: In): void {
    this.#receive([message])
  }
}
