import { isAmount } from '../adapters/services/capacity.js'
import { usageError } from './cli-error.js'

export interface ApiAddress {
  readonly host: string
  /** 0 … 65535; 0: any free port. */
  readonly port: number
}

/** `HOST:PORT`; an IPv6 host stands in brackets. */
export function parseHostAndPort(text: string): ApiAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:\s]+)):(\d+)$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined) throw usageError(`expected HOST:PORT for --api, got ${text}.`)
  return { host, port: parsePort(match?.[3] ?? '') }
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65535)) throw usageError(`expected a port from 0 to 65535 for --api, got ${text}.`)
  return port
}

/** `cpu=4,memoryMb=8192,gpu=1`: what the node has for its attempts. */
export function parseCapacity(text: string): Readonly<Record<string, number>> {
  const capacity = new Map<string, number>()
  for (const part of text.split(',')) {
    const [, name = '', amount = ''] =
      /^\s*([A-Za-z][\w.-]{0,63})=(\d+(?:\.\d{1,3})?)\s*$/.exec(part) ?? []
    const isRight = name !== '' && isAmount(Number(amount))
    if (!isRight || capacity.has(name)) {
      throw usageError(
        `expected NAME=AMOUNT for each part of --capacity, each name once, got ${part}.`,
        'For example: --capacity cpu=4,memoryMb=8192,gpu=1',
      )
    }
    capacity.set(name, Number(amount))
  }
  return Object.fromEntries(capacity)
}

const MAX_ARC_COUNT = 32768

/** How many arcs a new ring gets: a power of two. */
export function parseArcCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0
  const isPowerOfTwo = count > 0 && (count & (count - 1)) === 0
  if (!isPowerOfTwo || count > MAX_ARC_COUNT) {
    throw usageError(`expected a power of two up to ${MAX_ARC_COUNT} for --arcs, got ${text}.`)
  }
  return count
}
