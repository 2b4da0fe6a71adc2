import { assert } from '../../base/assert.js'

/**
 * How one turn's messages (messages.ts) cross to another thread: an array of strings. The first is
 * the JSON text of the list of heads; a message's bulky `body`, itself JSON text, stands beside it as
 * a string of its own, in the order of the heads, and is neither quoted nor parsed on the way. In a
 * head, `body` is 0 where such a string follows.
 *
 * Structured clone of the message objects would cost about the same. This form is ours, so that the
 * simulator puts every message through the very code that production runs.
 */
export function encodeTurn(messages: readonly object[]): string[] {
  const bodies: string[] = []
  const heads = messages.map((message) => {
    if (!('body' in message) || message.body === undefined) return message
    assert(typeof message.body === 'string', 'the body of a message is not a string')
    bodies.push(message.body)
    return { ...message, body: BODY_FOLLOWS }
  })
  return [JSON.stringify(heads), ...bodies]
}

/**
 * @param turn  what `encodeTurn` gave in another thread of the same process
 * @throws AssertionError when its shape is wrong: both ends are our own code
 */
export function decodeTurn<Message extends object>(turn: unknown): Message[] {
  assert(isStrings(turn), 'a turn is an array of strings')
  const heads: unknown = JSON.parse(turn[0] ?? '')
  assert(Array.isArray(heads), 'the first string of a turn is a list of heads')
  let nextBody = 1
  for (const head of heads) {
    assert(isHead(head), 'a head has a kind, and 0 for a body that follows')
    if (head.body === undefined) continue
    head.body = turn[nextBody]
    nextBody += 1
  }
  assert(nextBody === turn.length, `a turn has ${nextBody - 1} bodies, not ${turn.length - 1}`)
  return heads as Message[]
}

const BODY_FOLLOWS = 0

interface Head {
  readonly kind: string
  body?: unknown
}

function isHead(head: unknown): head is Head {
  if (typeof head !== 'object' || head === null) return false
  if (!('kind' in head) || typeof head.kind !== 'string') return false
  return !('body' in head) || head.body === BODY_FOLLOWS
}

function isStrings(turn: unknown): turn is string[] {
  return Array.isArray(turn) && turn.length > 0 && turn.every((part) => typeof part === 'string')
}
