import { assert, broken } from './assert.js'

/**
 * The 128-bit circular ID space, written as 32 lower-case hex digits.
 *
 * Branded so that a node's ID cannot be passed where a job's is meant. The brand exists at compile
 * time only.
 */
export type Id = string & { readonly brand: unique symbol }
export type NodeId = Id & { readonly kind: 'node' }
export type JobId = Id & { readonly kind: 'job' }
export type TaskId = Id & { readonly kind: 'task' }

/** Position of an arc, 0 … arcCount − 1. `SYSTEM_ARC` is the registry's own group beside the ring. */
export type ArcId = number
export const SYSTEM_ARC: ArcId = 0xffff

/** For people, who meet the registry by its name and not by a number. */
export function arcName(arc: ArcId): string {
  return arc === SYSTEM_ARC ? "the registry's own arc" : `arc ${arc}`
}

/** Raft term and log index. Safe integers; index 0 means "nothing yet". */
export type Term = number
export type LogIndex = number

/** Milliseconds. `Instant` is a point on some clock, `Duration` a length. */
export type Instant = number
export type Duration = number

const ID_PATTERN = /^[0-9a-f]{32}$/

export function isId(text: string): text is Id {
  return ID_PATTERN.test(text)
}

/** The arc that an ID belongs to: its top `log2(arcCount)` bits. `arcCount` is a power of two ≤ 32768. */
export function arcOf(id: string, arcCount: number): ArcId {
  const top = Number.parseInt(id.slice(0, 4), 16)
  if (!Number.isInteger(top)) broken(`arcOf expects 32 hex digits, got ${id}`)
  return Math.floor((top * arcCount) / 0x10000)
}

const HEX16 = (value: number): string => value.toString(16).padStart(4, '0')

/**
 * Mints a job ID: 16 bits that place it on the ring ‖ 48-bit milliseconds ‖ 64 random bits.
 *
 * @param place   0 … 65535: the top 16 bits of hash(idempotency key), or drawn among own arcs
 * @param at      wall clock in milliseconds, 0 … 2^48 − 1
 * @param random  16 hex digits of entropy
 */
export function makeJobId(place: number, at: Instant, random: string): JobId {
  assert(random.length === 16, 'makeJobId expects 16 random hex digits')
  return (HEX16(place) + Math.floor(at).toString(16).padStart(12, '0') + random) as JobId
}

/** The creation instant inside a job ID, in milliseconds. */
export function instantOfJobId(id: string): Instant {
  return Number.parseInt(id.slice(4, 16), 16)
}
