import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.js'

function setup(most: number) {
  const turns = new Turns(most)
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const begin = (name: string): Promise<string> =>
    turns.run(() => {
      begun.push(name)
      return new Promise<string>((resolve, reject) => {
        ends.set(name, (error) => (error === undefined ? resolve(name) : reject(error)))
      })
    })
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { begin, end, begun }
}

test('two go at a time, and the others when those have ended, in the order in which they came', async () => {
  const { begin, end, begun } = setup(2)
  const all = ['a', 'b', 'c', 'd'].map((name) => begin(name))
  assert.deepEqual(begun, ['a', 'b'])
  await end('b')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await end('a')
  await end('c')
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  await end('d')
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd'])
})

test('one that fails gives its turn back, and a line that was empty forms again', async () => {
  const { begin, end, begun } = setup(1)
  const failing = assert.rejects(begin('a'), /gone/)
  const second = begin('b')
  await end('a', new Error('gone'))
  await failing
  await end('b')
  assert.equal(await second, 'b')
  void begin('c')
  void begin('d')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  await end('c')
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  await end('d')
})
