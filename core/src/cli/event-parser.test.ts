import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventParser } from './event-parser.js'

const TEXT = `retry: 1000

id: 1
data: {"seq":1}

: nothing new

event: activity
data: {"a":
data: 2}

id: 2
data:x

`

test('events are the same however their text is cut', () => {
  const expected = [
    { id: '1', name: 'message', data: '{"seq":1}' },
    { id: null, name: 'activity', data: '{"a":\n2}' },
    { id: '2', name: 'message', data: 'x' },
  ]
  for (const size of [1, 2, 7, TEXT.length]) {
    const parser = new EventParser()
    const events = []
    for (let at = 0; at < TEXT.length; at += size) {
      events.push(...parser.take(TEXT.slice(at, at + size)))
    }
    assert.deepEqual(events, expected, `in parts of ${size}`)
  }
})

test('an event whose end has not come is not told', () => {
  assert.deepEqual(new EventParser().take('id: 1\ndata: x\n'), [])
})
