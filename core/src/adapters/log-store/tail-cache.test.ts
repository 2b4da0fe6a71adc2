import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TailCache } from './tail-cache.js'

test('the newest entries are read from memory, also across additions', () => {
  const cache = new TailCache(10_000)
  cache.add(1, entries(1, ['a', 'b']))
  cache.add(1, entries(3, ['c']))
  assert.deepEqual(payloads(cache, 1, 2, 3), ['b', 'c'])
})

test('an append that replaces a suffix replaces it in memory too', () => {
  const cache = new TailCache(10_000)
  cache.add(1, entries(1, ['a', 'b', 'c']))
  cache.add(1, entries(2, ['B']))
  assert.deepEqual(payloads(cache, 1, 1, 2), ['a', 'B'])
  assert.equal(cache.read(1, 1, 3), null)
})

test('a range that is not all in memory is not answered', () => {
  const cache = new TailCache(10_000)
  cache.add(1, entries(5, ['e']))
  assert.equal(cache.read(1, 4, 5), null)
  assert.equal(cache.read(1, 5, 6), null)
  assert.equal(cache.read(2, 5, 5), null)
})

test('an addition behind a gap forgets what stands before the gap', () => {
  const cache = new TailCache(10_000)
  cache.add(1, entries(1, ['a']))
  cache.add(1, entries(9, ['i']))
  assert.equal(cache.read(1, 1, 1), null)
  assert.deepEqual(payloads(cache, 1, 9, 9), ['i'])
})

test('the cache stays within its bytes and forgets the oldest first', () => {
  const cache = new TailCache(1_000)
  for (let index = 1; index <= 100; index += 1) {
    cache.add(index % 2, entries(Math.ceil(index / 2), ['x'.repeat(100)]))
    assert.ok(cache.bytes <= 1_000)
  }
  assert.equal(cache.read(0, 1, 1), null)
  assert.equal(cache.read(0, 50, 50)?.length, 1)
})

function entries(first: number, texts: readonly string[]) {
  return texts.map((payload, offset) => ({ index: first + offset, term: 1, payload }))
}

function payloads(cache: TailCache, arc: number, from: number, to: number): string[] | undefined {
  return cache.read(arc, from, to)?.map((entry) => entry.payload)
}
