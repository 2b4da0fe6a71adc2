import type { Json, JsonObject } from '@gyre/jobs'
import type { Prng } from '@gyre/core/internal/base/prng.js'

/**
 * What a simulated handler does when it is called. It travels inside the input of its step, so that
 * one job's story is decided by the workload and not by which call happens to come first.
 */
export interface Behaviour {
  readonly act: BehaviourKind
  /** How long it works, milliseconds. */
  readonly ms: number
  /** `flaky`: attempts that fail before one succeeds. */
  readonly failures: number
}

export type BehaviourKind =
  | 'succeed'
  /** Fails every time, may be retried. */
  | 'fail'
  /** Fails, not to be retried. */
  | 'give-up'
  /** Fails `failures` times, then succeeds. */
  | 'flaky'
  /** Never settles until its signal is aborted. */
  | 'hang'
  /** Never settles and ignores its signal: only the end of its thread stops it. */
  | 'deaf'
  /** Does its work outside, then fails all the same. */
  | 'fail-late'
  /** Settles with success although its signal was aborted. */
  | 'finish-anyway'
  /** Its first attempt pauses past its timeout and succeeds then; later ones just succeed. */
  | 'pause-once'
  /** Does its work outside, then is cut off for the memory that it used. */
  | 'cut-off'

export interface BehaviourMix {
  readonly kinds: readonly BehaviourKind[]
  readonly maxMs: number
}

export function drawBehaviour(prng: Prng, mix: BehaviourMix): Behaviour {
  const act = prng.chance(0.6) ? 'succeed' : prng.pick(mix.kinds)
  return { act, ms: prng.below(mix.maxMs), failures: prng.between(1, 3) }
}

/** What a compensation does: it may fail a few times, or for ever in a few runs. */
export function drawUndo(prng: Prng, mayFail: boolean): Behaviour {
  const act =
    !mayFail || prng.chance(0.6)
      ? 'succeed'
      : prng.pick(['flaky', 'flaky', 'fail', 'hang', 'give-up'] as const)
  return { act, ms: prng.below(50), failures: prng.between(1, 2) }
}

export function toJson(behaviour: Behaviour): JsonObject {
  return { act: behaviour.act, ms: behaviour.ms, failures: behaviour.failures }
}

/** Reads it back from what a handler is given; anything else is a handler's plain success. */
export function behaviourOf(input: Json): Behaviour {
  const written = memberOf(input, 'behaviour')
  return {
    act: textOf(memberOf(written, 'act')) as BehaviourKind,
    ms: numberOf(memberOf(written, 'ms')),
    failures: numberOf(memberOf(written, 'failures')),
  }
}

export function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return (value as JsonObject)[name]
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : 'succeed'
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}
