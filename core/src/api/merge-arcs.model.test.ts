import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ArcLists, mergeArcs } from './merge-arcs.js'

interface Item {
  readonly arc: number
  readonly key: number
}

const byKey = (a: Item, b: Item): number => a.key - b.key

/** Lists held in memory; `silent` arcs do not answer when they are asked again. */
function lists(arcs: readonly (readonly Item[])[], silent: ReadonlySet<number>): ArcLists<Item> {
  return {
    arcCount: arcs.length,
    first: (pageSize) =>
      Promise.resolve({ pages: arcs.map((items) => items.slice(0, pageSize)), missing: 0 }),
    behind: (last, pageSize) => {
      if (silent.has(last.arc)) return Promise.resolve(null)
      const rest = (arcs[last.arc] ?? []).filter((item) => item.key > last.key)
      return Promise.resolve(rest.slice(0, pageSize))
    },
    compare: byKey,
  }
}

/** Distinct keys dealt to arcs, most of them to a few: skewed as keyless bursts are. */
const anyArcs = fc
  .tuple(fc.integer({ min: 1, max: 16 }), fc.array(fc.nat(40), { maxLength: 300 }))
  .map(([arcCount, places]) => {
    const arcs: Item[][] = Array.from({ length: arcCount }, () => [])
    for (const [key, place] of places.entries()) {
      const arc = place % arcCount
      arcs[arc]?.push({ arc, key })
    }
    return arcs
  })

test('law: a merged page is what sorting everything gives', async () => {
  await fc.assert(
    fc.asyncProperty(anyArcs, fc.integer({ min: 1, max: 60 }), async (arcs, limit) => {
      const all = arcs.flat().sort(byKey)
      const { items, more, missing } = await mergeArcs(lists(arcs, new Set()), limit)
      assert.deepEqual(items, all.slice(0, limit))
      assert.equal(more, all.length > limit)
      assert.equal(missing, 0)
    }),
    { numRuns: 500 },
  )
})

test('an arc that stops answering is counted once and the others go on in order', async () => {
  const arcs = Array.from({ length: 16 }, (_, arc) =>
    arc > 1 ? [] : Array.from({ length: 100 }, (_, n) => ({ arc, key: 2 * n + arc })),
  )
  const { items, missing } = await mergeArcs(lists(arcs, new Set([0])), 60)
  assert.equal(missing, 1)
  assert.equal(items.length, 60)
  assert.deepEqual(items, [...items].sort(byKey))
})

test('a page of 50 reads few rows of each arc', async () => {
  const arcs = Array.from({ length: 256 }, (_, arc) =>
    Array.from({ length: 100 }, (_, n) => ({ arc, key: n * 256 + arc })),
  )
  let rows = 0
  const counted = lists(arcs, new Set())
  await mergeArcs(
    {
      ...counted,
      first: async (pageSize) => {
        rows += pageSize * 256
        return counted.first(pageSize)
      },
      behind: async (last, pageSize) => {
        rows += pageSize
        return counted.behind(last, pageSize)
      },
    },
    50,
  )
  assert.ok(rows < 256 * 10, `${rows} rows`)
})
