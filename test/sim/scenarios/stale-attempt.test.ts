import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partsOf } from '../attempt-parts.js'
import { JOBS_ONLY, runScenario, storyOf } from './run-scenario.js'

const SEEDS = [11, 12, 13, 14, 15, 16, 17, 18]

/** What was seen of one step without items, in its order. */
interface StepStory {
  /** `timed out 1`, `succeeded 2`, and so on, by attempt. */
  readonly events: string[]
  effects: number
}

/** Workers pause past the timeout, go on, and say twice that they are done. */
function storiesOf(seed: number): Map<string, StepStory & { readonly output: unknown }> {
  const vary = { weights: JOBS_ONLY, behaviours: ['pause-once'] as const, duplicateReports: 1 }
  const stories = new Map<string, StepStory>()
  const outputs = new Map<string, unknown>()
  for (const { seen } of storyOf(runScenario({ seed, vary, faults: [] }))) {
    if (seen.kind === 'rested') {
      for (const { id, steps } of seen.state.jobs) {
        for (const { name, output } of steps) outputs.set(`${id}.${name}`, output)
      }
    }
    if (seen.kind !== 'effect' && seen.kind !== 'aborted' && seen.kind !== 'reported') continue
    const attempt = seen.kind === 'effect' ? seen.effect.attempt : seen.attempt
    const { job, step, number, index, isCompensation } = partsOf(attempt)
    if (index !== '-' || isCompensation) continue
    const story = stories.get(`${job}.${step}`) ?? { events: [], effects: 0 }
    stories.set(`${job}.${step}`, story)
    if (seen.kind === 'effect') story.effects += 1
    else if (seen.kind === 'aborted') story.events.push(`${seen.reason} ${number}`)
    else story.events.push(`${seen.outcome.kind} ${number}`)
  }
  return new Map([...stories].map(([key, story]) => [key, { ...story, output: outputs.get(key) }]))
}

/** The second attempt had succeeded when the first one said so once more. */
function isOvertaken({ events }: StepStory): boolean {
  const done = events.indexOf('succeeded 2')
  return events[0] === 'timed_out 1' && done > 0 && events.indexOf('succeeded 1', done) > done
}

test('F37, stale attempt: what a worker reports past its timeout is stale, the second attempt decides', () => {
  let late = 0
  let overtaken = 0
  for (const seed of SEEDS) {
    for (const [key, story] of storiesOf(seed)) {
      if (story.events[0] !== 'timed_out 1' || !story.events.includes('succeeded 1')) continue
      late += 1
      const token = JSON.stringify(story.output ?? null)
      assert.ok(!token.endsWith('.r.1"}'), `${key} shows the result of the attempt that timed out`)
      if (!isOvertaken(story)) continue
      overtaken += 1
      assert.ok(token.endsWith('.r.2"}'), `${key}, ${story.events.join(', ')}: it shows ${token}`)
      assert.ok(story.effects <= 2, `${key} had ${story.effects} effects outside`)
    }
  }
  assert.ok(late > 0, 'no handler ever succeeded too late')
  assert.ok(overtaken > 0, 'no first attempt ever reported behind the success of the second')
})
