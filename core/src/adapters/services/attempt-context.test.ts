import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceContext } from '@gyre/workers'
import type { Dispatch } from '../../protocol/node/messages.js'
import { type ContextOptions, makeContext } from './attempt-context.js'
import { NO_SETTINGS, secretsOf } from './handler-settings.js'
import { LazySignal } from './lazy-signal.js'
import { RecordCalls } from './record-calls.js'

const DISPATCH: Dispatch = {
  kind: 'dispatch',
  arc: 0 as Dispatch['arc'],
  index: 1 as Dispatch['index'],
  attempt: 'a',
  number: 1,
  service: 'test',
  job: 'j',
  task: 't',
  step: 's',
  item: null,
  hook: 'run',
  fence: 1,
  idempotencyKey: 'k',
  timeoutMs: 1000,
  next: [],
  body: '{}',
}

function contextOf(options: Partial<ContextOptions>): ServiceContext {
  return makeContext(DISPATCH, {
    signal: new LazySignal(),
    life: { isOver: false },
    write: () => {},
    noteHeld: () => {},
    beat: () => {},
    records: new RecordCalls(() => {}),
    config: {},
    secrets: secretsOf(NO_SETTINGS),
    redact: (text) => text,
    ...options,
  }).context
}

test('a copy of a context has its signal', () => {
  const signal = new LazySignal()
  const copy = { ...contextOf({ signal }) }
  assert.equal(copy.signal, signal.value)
})

test('a heartbeat after the end of its attempt is told so, and beats for nobody', () => {
  const life = { isOver: false }
  let beats = 0
  const beat = (): void => {
    beats += 1
  }
  const context = contextOf({ life, beat })
  context.heartbeat()
  life.isOver = true
  assert.throws(() => context.heartbeat(), { code: 'attempt_aborted', retryable: false })
  assert.equal(beats, 1)
})
