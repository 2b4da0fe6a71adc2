import { assert } from '../../base/assert.js'

/**
 * How one turn's messages cross to another thread: an array of strings. The first is the JSON text
 * of the list of heads; a message's bulky `body`, itself JSON text, stands beside it as a string of
 * its own, in the order of the heads, and is neither quoted nor parsed on the way. In a head, `body`
 * is 0 where such a string follows.
 *
 * Strings cross a thread boundary as flat copies; objects would be walked member by member, which
 * costs fifteen times as much.
 */

/** A message of messages.ts: plain JSON, with a string `body` or none. */
export interface TurnMessage {
  readonly kind: string
  readonly body?: string
}

const BODY_FOLLOWS = 0

export function encodeTurn(messages: readonly TurnMessage[]): string[] {
  const bodies: string[] = []
  const heads = messages.map((message) => {
    if (message.body === undefined) return message
    assert(typeof message.body === 'string', `the body of ${message.kind} is not a string`)
    bodies.push(message.body)
    return { ...message, body: BODY_FOLLOWS }
  })
  return [JSON.stringify(heads), ...bodies]
}

/**
 * @param turn  what `encodeTurn` gave in another thread of the same process
 * @throws AssertionError when its shape is wrong: both ends are our own code
 */
export function decodeTurn<Message extends TurnMessage>(turn: unknown): Message[] {
  assert(isStrings(turn), 'a turn is an array of strings')
  const heads: unknown = JSON.parse(turn[0] ?? '')
  assert(Array.isArray(heads), 'the first string of a turn is a list of heads')
  let nextBody = 1
  const messages = heads.map((head: unknown) => {
    assert(isHead(head), 'a head has a kind, and 0 for a body that follows')
    if (head.body === undefined) return head
    head.body = turn[nextBody]
    nextBody += 1
    return head
  })
  assert(nextBody === turn.length, `a turn has ${nextBody - 1} bodies, not ${turn.length - 1}`)
  return messages as unknown[] as Message[]
}

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
