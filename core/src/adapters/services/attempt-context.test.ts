import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatch } from '../../protocol/node/messages.js'
import { makeContext } from './attempt-context.js'
import { NO_SETTINGS } from './handler-settings.js'
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

test('a heartbeat after the end of its attempt is told so, and beats for nobody', () => {
  const life = { isOver: false }
  let beats = 0
  const { context } = makeContext(DISPATCH, {
    signal: new AbortController().signal,
    life,
    write: () => {},
    noteHeld: () => {},
    beat: () => {
      beats += 1
    },
    records: new RecordCalls(() => {}),
    settings: NO_SETTINGS,
  })
  context.heartbeat()
  life.isOver = true
  assert.throws(() => context.heartbeat(), { code: 'attempt_aborted', retryable: false })
  assert.equal(beats, 1)
})
