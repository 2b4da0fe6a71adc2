import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineOutputs } from './engine-outputs.js'
import { StorageWatch } from './storage-watch.js'

const ROT = [{ number: 3, message: 'segment 3, offset 8192: a checksum does not hold' }]
const PROGRESS = {
  shortage: null,
  waitsForRoom: false,
  syncs: 0,
  bytesWritten: 0,
  rot: [],
  rotGivenUp: 0,
}

function setup() {
  const outputs = new EngineOutputs()
  const watch = new StorageWatch(outputs)
  const codes = (): string[] =>
    outputs.takeApi().map((message) => (message.kind === 'alarm' ? message.code : message.kind))
  return { outputs, watch, codes }
}

test('rot in the log is told once, with a checkpoint that lets the segment go, and until then counted', () => {
  const { outputs, watch } = setup()
  for (let turn = 0; turn < 3; turn += 1) watch.setLogProgress({ ...PROGRESS, rot: ROT }, false)
  const [alarm, ...more] = outputs.takeApi()
  assert.ok(alarm?.kind === 'alarm' && more.length === 0)
  assert.equal(alarm.code, 'log_segment_damaged')
  assert.match(alarm.message, /segment 3, offset 8192.*do not stop this node.*Check the disk/)
  assert.deepEqual(outputs.takeLedger(), [{ kind: 'checkpoint' }])
  assert.equal(watch.status.logScrub.damaged, 1)
  watch.setLogProgress({ ...PROGRESS, rotGivenUp: 1 }, false)
  assert.deepEqual([outputs.takeApi(), outputs.takeLedger()], [[], []])
  const { damaged, givenUp } = watch.status.logScrub
  assert.deepEqual([damaged, givenUp], [0, 1])
})

test('a state without room for what a rotten segment holds is told, whichever came first', () => {
  for (const isFullFirst of [true, false]) {
    const { watch, codes } = setup()
    if (isFullFirst) watch.noteStateFull(true)
    watch.setLogProgress({ ...PROGRESS, rot: ROT }, isFullFirst)
    if (!isFullFirst) watch.noteStateFull(true)
    watch.setLogProgress({ ...PROGRESS, rot: ROT }, true)
    assert.deepEqual(codes(), ['log_segment_damaged', 'log_segment_kept'])
    watch.noteStateFull(false)
    watch.noteStateFull(true)
    assert.deepEqual(codes(), ['log_segment_kept'], 'and again when it begins again')
  }
})
