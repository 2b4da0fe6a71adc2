import { formatPointer, JSON_DEPTH_MAX, parsePointer } from '@gyre/jobs'
import type { FastifyRequest } from 'fastify'
import { spoilInexactIntegers } from './exact-integers.js'
import { ENVELOPE_DEPTH } from './limits.js'
import { Problem } from './problem.js'

/**
 * From the bytes of a body to JSON that can be stored and given back as it came: valid UTF-8, no
 * names that reach a prototype in somebody's careless code, no number that JSON cannot say again.
 */

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** @returns undefined for an empty body; else JSON that `checkJson` has yet to look at */
export function parseBody(bytes: Buffer): unknown {
  return bytes.length === 0 ? undefined : parseJson(decode(bytes))
}

/** The value of a request's body, as far as its route leaves the checks to us. */
export function readJsonBody(request: FastifyRequest, bytes: Buffer): unknown {
  request.bodyBytes = bytes.length
  const value = parseBody(bytes)
  if (!request.checksJsonItself) checkJson(value)
  return value
}

/**
 * In time for the validators, which would tell of a `null` that nobody sent.
 *
 * @throws Problem `invalid_json`
 */
export function refuseEmptyBody(request: FastifyRequest): void {
  if (request.body !== undefined) return
  const { schema, config } = request.routeOptions
  if (schema?.body === undefined) return
  if (config.bodyIsOptional !== true) {
    throw new Problem('invalid_json', 'the body is empty; send a JSON value')
  }
  request.body = {}
}

/**
 * A body, or the part of it that is one request of its own, before anybody works with it.
 *
 * @throws Problem `invalid_request` for what cannot be stored and given back as it came
 */
export function checkJson(value: unknown): void {
  checkValue(value, [], JSON_DEPTH_MAX + ENVELOPE_DEPTH)
}

/** @throws Problem when the value is nested deeper than users' data may be */
export function checkDepth(value: unknown, path: string): void {
  checkValue(value, [...(parsePointer(path) ?? [])], JSON_DEPTH_MAX)
}

function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new Problem('invalid_json', 'the body is not valid UTF-8; send JSON in UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(spoilInexactIntegers(text))
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.slice(0, 200) : 'syntax error'
    throw new Problem('invalid_json', `the body is not JSON: ${reason}`)
  }
}

/**
 * Recursion ends at the depth that is refused.
 *
 * @param place  names on the way to the value, for the message; changed on the way and put back
 */
function checkValue(value: unknown, place: (string | number)[], depthLeft: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    refuse(
      place,
      'is a number that an IEEE 754 double cannot hold, and would not come back as it was sent; send it as a string',
    )
  }
  if (typeof value !== 'object' || value === null) return
  if (depthLeft === 0) refuse(place, `is nested more than ${JSON_DEPTH_MAX} deep`)
  // A value that is stored under this name would become another value's prototype.
  if (Object.hasOwn(value, '__proto__')) {
    refuse(place, 'has a member __proto__, which is not accepted; rename it')
  }
  // By loops over what is there: entries made for every value take two to five times as long.
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      checkMember(index, value[index], place, depthLeft - 1)
    }
    return
  }
  for (const name of Object.keys(value)) {
    checkMember(name, (value as Members)[name], place, depthLeft - 1)
  }
}

type Members = Readonly<Record<string, unknown>>

function checkMember(
  name: string | number,
  member: unknown,
  place: (string | number)[],
  depthLeft: number,
): void {
  if (typeof member !== 'object' && typeof member !== 'number') return
  place.push(name)
  checkValue(member, place, depthLeft)
  place.pop()
}

/** Characters of a place that are told: its pointer may be as long as the body. */
const PLACE_LENGTH_MAX = 200

function refuse(place: readonly (string | number)[], message: string): never {
  const path = formatPointer(place.map(String)).slice(0, PLACE_LENGTH_MAX)
  const detail = `the body ${path === '' ? '' : `at ${path} `}${message}`
  throw new Problem('invalid_request', detail, { errors: [{ path, message }] })
}
