import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault, FaultKind } from '../faults.js'
import { JOBS_ONLY, runScenario, storyOf } from './run-scenario.js'

const FROM_MS = 500
const UNTIL_MS = 20_500
/** At the least: the write that hangs may have begun a little before. */
const TOLD_MS = 10_000

test('a disk that hangs is told after ten seconds, new work is refused until it is back, nothing is lost', () => {
  hang('disk-hang', 'log_stalled')
})

test('a ledger thread that hangs is told after ten seconds, and new work is refused until it is back', () => {
  hang('ledger-hang', 'state_stalled')
})

/** That nothing acknowledged is lost or done twice is what the checkers of the run see to. */
function hang(kind: FaultKind, code: string): void {
  const faults: readonly Fault[] = [
    { at: FROM_MS, kind, ms: UNTIL_MS - FROM_MS, count: 1, seed: 1 },
  ]
  const vary = {
    chaosMs: 25_000,
    patienceMs: 3_000,
    clientCount: 3,
    thinkMs: 200,
    weights: JOBS_ONLY,
  }
  const story = storyOf(runScenario({ seed: 51, vary, faults }))
  const told = story.flatMap(({ at, seen }) =>
    seen.kind === 'stall-told' ? [{ at, ...seen }] : [],
  )
  assert.deepEqual(
    told.map((each) => [each.code, each.isOver]),
    [
      [code, false],
      [code, true],
    ],
  )
  const [begin, end] = told
  assert.ok(begin !== undefined && begin.at > FROM_MS + TOLD_MS && begin.at < FROM_MS + 12_000)
  assert.ok(end !== undefined && end.at > UNTIL_MS && end.at < UNTIL_MS + 100)
  const answers = story.filter(({ seen }) => seen.kind === 'answered')
  const refusals = answers.filter(({ seen }) => seen.kind === 'answered' && isRefusal(seen.reply))
  assert.ok(refusals.length > 10, `${refusals.length} refusals`)
  assert.ok(refusals.every(({ at }) => at > begin.at && at < end.at + 100))
  const isTaken = ({ at, seen }: (typeof story)[number]): boolean =>
    at > end.at && seen.kind === 'answered' && seen.reply.ok
  assert.ok(story.some(isTaken), 'nothing is taken any more')
}

function isRefusal(reply: { readonly ok: boolean; readonly message?: string }): boolean {
  return !reply.ok && /the disk does not answer/.test(reply.message ?? '')
}
