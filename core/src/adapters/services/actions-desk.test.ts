import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dispatch, FromServices } from '../../protocol/node/messages.js'
import { SystemClock } from '../system-clock.js'
import { ActionsDesk } from './actions-desk.js'

const DISPATCH: Dispatch = {
  kind: 'dispatch',
  arc: 0,
  index: 1,
  attempt: 'a',
  service: 'gyre.actions',
  hook: 'run',
  job: 'j',
  task: 't',
  step: 'main',
  item: null,
  number: 1,
  fence: 1,
  idempotencyKey: 'k',
  timeoutMs: 1000,
  next: [],
  body: '{"input":{"action":"cancel","filter":{}}}',
}
const SLICE = '{"done":2,"skipped":1,"failed":0,"ended":true}'

/** Runs one action on four arcs. @param codes  what each of them refuses it with; null: it does it */
function act(codes: readonly (string | null)[]): { arcs: number[]; outcome: unknown } {
  const sent: FromServices[] = []
  const toEngine = (message: FromServices): void => void sent.push(message)
  const desk = new ActionsDesk({ clock: new SystemClock(), arcCount: 4, toEngine })
  const arcs: number[] = []
  desk.run(DISPATCH)
  for (;;) {
    const message = sent.shift()
    if (message?.kind === 'ended') return { arcs, outcome: JSON.parse(message.body) }
    assert.ok(message?.kind === 'propose')
    const { arc, request } = message
    arcs.push(arc)
    const code = codes[arc] ?? null
    const reply = { kind: 'reply', request } as const
    if (code === null) desk.answered({ ...reply, reply: { ok: true, result: 'done' }, body: SLICE })
    else desk.answered({ ...reply, reply: { ok: false, code, message: 'it stands still' } })
  }
}

test('a bulk action asks each arc, and tells the sums', () => {
  const { arcs, outcome } = act([])
  assert.deepEqual(arcs, [0, 1, 2, 3])
  assert.deepEqual(outcome, { kind: 'succeeded', output: { done: 8, skipped: 4, failed: 0 } })
})

test('an arc that stands still keeps no other from being asked, and the action is tried again', () => {
  for (const code of ['arc_unavailable', 'apply_stopped', 'outcome_unknown']) {
    const { arcs, outcome } = act([null, code, null, code])
    assert.deepEqual(arcs, [0, 1, 2, 3])
    const message = 'arc 1 did not answer: it stands still; and 1 more arcs'
    const error = { code: 'bulk_interrupted', message, retryable: true }
    assert.deepEqual(outcome, { kind: 'failed', error })
  }
})

test('a node that takes nothing is asked no further', () => {
  assert.deepEqual(act([null, 'not_ready']).arcs, [0, 1])
})
