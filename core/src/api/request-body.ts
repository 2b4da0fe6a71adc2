import { JSON_DEPTH_MAX } from '@gyre/jobs'
import type { FastifyRequest } from 'fastify'
import { ENVELOPE_DEPTH } from './limits.js'
import { Problem } from './problem.js'

/**
 * From the bytes of a body to JSON that can be stored and given back as it came: valid UTF-8, no
 * names that reach a prototype in somebody's careless code, no number that JSON cannot say again.
 */

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** @returns undefined for an empty body */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  const value = parseJson(decode(bytes))
  checkValue(value, '', JSON_DEPTH_MAX + ENVELOPE_DEPTH)
  return value
}

/** Sizes of the bodies that were read; WeakMap: it ends with the request. */
const bodyBytes = new WeakMap<FastifyRequest, number>()

/** Fastify's content type parser for JSON. */
export function readJsonBody(request: FastifyRequest, bytes: Buffer): Promise<unknown> {
  bodyBytes.set(request, bytes.length)
  return Promise.resolve().then(() => parseBody(bytes))
}

/** Size of the request's body as it came, in bytes. */
export function bodyBytesOf(request: FastifyRequest): number {
  return bodyBytes.get(request) ?? 0
}

/** @throws Problem when the value is nested deeper than users' data may be */
export function checkDepth(value: unknown, path: string): void {
  checkValue(value, path, JSON_DEPTH_MAX)
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
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.slice(0, 200) : 'syntax error'
    throw new Problem('invalid_json', `the body is not JSON: ${reason}`)
  }
}

/** Recursion ends at the depth that is refused. */
function checkValue(value: unknown, path: string, depthLeft: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    refuse(path, 'is a number out of the range of JSON numbers (IEEE 754 double)')
  }
  if (typeof value !== 'object' || value === null) return
  if (depthLeft === 0) refuse(path.slice(0, 200), `is nested more than ${JSON_DEPTH_MAX} deep`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) checkValue(value[i], path, depthLeft - 1)
    return
  }
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__' || (name === 'constructor' && hasPrototype(member))) {
      refuse(path, `has a member ${name}, which is not accepted; rename it`)
    }
    if (typeof member === 'object' || typeof member === 'number') {
      checkValue(member, path, depthLeft - 1)
    }
  }
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

function refuse(path: string, message: string): never {
  throw new Problem('invalid_request', `the body ${message}`, { errors: [{ path, message }] })
}
