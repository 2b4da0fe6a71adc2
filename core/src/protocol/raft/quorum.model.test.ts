import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { afterChange, type Configuration, voterDifference } from './configuration.js'
import { majorityOf, reachedByMajority, verdictOf } from './quorum.js'
import { configOf } from './testing/lab.js'

test('what a majority has reached is the greatest value that so many reach', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { minLength: 1, maxLength: 7 }), (reached) => {
      const needed = reached.length / 2
      const candidates = [...Array(13).keys()]
      const expected = candidates.findLast(
        (value) => reached.filter((one) => one >= value).length > needed,
      )
      assert.equal(reachedByMajority(reached), expected)
    }),
  )
  assert.equal(reachedByMajority([]), 0)
})

test('an election is won or lost exactly when no further answer could change that', () => {
  const answer = fc.option(fc.boolean(), { nil: undefined })
  fc.assert(
    fc.property(
      fc.array(answer, { minLength: 1, maxLength: 7 }),
      fc.nat(2),
      (answers, strangers) => {
        const config = configOf(answers.length)
        const known = new Map<number, boolean>()
        answers.forEach((given, at) => given !== undefined && known.set(at + 1, given))
        for (let id = 0; id < strangers; id += 1) known.set(100 + id, true)
        const yes = answers.filter((given) => given === true).length
        const open = answers.filter((given) => given === undefined).length
        const isWon = yes * 2 > answers.length
        const canWin = (yes + open) * 2 > answers.length
        assert.equal(verdictOf(config, known), isWon ? 'won' : canWin ? 'open' : 'lost')
      },
    ),
  )
})

test('nobody wins without voters', () => {
  assert.notEqual(verdictOf(configOf(0), new Map([[1, true]])), 'won')
})

const anyChange = fc.oneof(
  fc.constant({ kind: 'add-learner', node: 'n', store: 's' } as const),
  fc.record({
    kind: fc.constantFrom('promote', 'demote', 'remove'),
    replicaId: fc.integer({ min: 1, max: 9 }),
  }),
)

test('after any change majorities of before and after meet, and no number is given twice', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 30 }), (changes) => {
      let config: Configuration = configOf(3)
      const given = new Set([1, 2, 3])
      for (const change of changes) {
        const next = afterChange(config, change)
        if (next === undefined) continue
        assert.equal(next.configEpoch, config.configEpoch + 1)
        assert.ok(voterDifference(config, next) <= 1)
        assert.ok(next.voters.length >= 1)
        const union = new Set([...config.voters, ...next.voters].map((one) => one.replicaId))
        const quorums = majorityOf(config.voters.length) + majorityOf(next.voters.length)
        assert.ok(quorums > union.size, 'two majorities share a voter')
        if (change.kind === 'add-learner') {
          const id = next.learners.at(-1)?.replicaId ?? 0
          assert.ok(!given.has(id))
          given.add(id)
        }
        config = next
      }
    }),
  )
})

test('fields of a configuration that this version does not know are kept by a change', () => {
  const config = { ...configOf(3), outgoing: [1] }
  const next = afterChange(config, { kind: 'remove', replicaId: 3 })
  assert.deepEqual(next && 'outgoing' in next && next.outgoing, [1])
})
