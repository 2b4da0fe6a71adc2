import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../ports/clock.js'
import type { Link } from '../ports/link.js'
import type { FromApi, ToApi } from '../protocol/node/messages.js'
import { EngineClient } from './engine-client.js'

/** A client with an engine that says what the test lets it say. */
function scripted() {
  let receive: (messages: readonly ToApi[]) => void = () => {}
  const sent: FromApi[] = []
  const link: Link<FromApi, ToApi> = {
    send: (message) => void sent.push(message),
    onReceive: (take) => {
      receive = take
    },
  }
  const clock: Clock = { now: () => ({ mono: 0, wall: 0 }), alarm: () => () => {}, soon: () => {} }
  const ignore = (): void => {}
  const events = {
    onServing: ignore,
    onOffers: ignore,
    onStopped: ignore,
    onAlarm: ignore,
    onAlarmOver: ignore,
    onFatal: ignore,
  }
  const identity = {
    clusterId: '0'.repeat(32),
    nodeId: '0'.repeat(32),
    storeId: '0'.repeat(32),
    name: 'node',
    arcCount: 1,
    bootEpoch: 1,
    version: '1.0.0',
    zone: null,
    labels: {},
  }
  const client = new EngineClient({ identity, link, clock, events })
  client.start()
  return { client, sent, say: (message: ToApi) => receive([message]) }
}

test('who asked when the node had stopped is told so, and nobody waits for it', async () => {
  const { client, sent, say } = scripted()
  const early = client.query(0, { kind: 'record', key: 'a' })
  const command = { kind: 'delete-record', key: 'a', id: '0'.repeat(32) } as const
  const change = client.propose({ arc: 0, command })
  say({ kind: 'stopped' })
  const late = client.query(0, { kind: 'record', key: 'a' })
  const codes = (await Promise.all([early, change, late])).map((reply) => !reply.ok && reply.code)
  assert.deepEqual(codes, ['not_ready', 'outcome_unknown', 'not_ready'])
  assert.equal(sent.length, 2, 'the engine is not asked any more')
})
