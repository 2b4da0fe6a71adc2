import type { StepsOfSchema } from './counted-schema.js'
import { SCHEMA_STEPS_MAX } from './limits.js'

/**
 * What checking a value against a stranger's schema has cost so far, in steps of some 100 ns. Shared by
 * all schemas: one value is checked at a time.
 */
let left = 0

export const TOO_MANY_STEPS = new Error(
  `takes more than ${SCHEMA_STEPS_MAX} steps to check: patterns and alternatives (oneOf, anyOf) are tried for each ` +
    'item, and again at each level where they contain themselves; tell them apart first, with enum, or if and then',
)

/** @param most  steps that may be taken from here on */
export function beginSteps(most: number): void {
  left = most
}

/** Of those that may be taken; 0 when they did not do. */
export function stepsLeft(): number {
  return Math.max(left, 0)
}

/** @throws TOO_MANY_STEPS */
export function spendSteps(count: number): void {
  left -= count
  if (left < 0) throw TOO_MANY_STEPS
}

/** So many characters are counted, or compared, in a step. */
export const CHARS_PER_STEP = 16

/** Before each try of a schema; a text may be read from end to end by it, and so may names of members. */
export function takeSteps([steps, looks, charsPerStep]: StepsOfSchema, value: unknown): void {
  spendSteps(steps)
  if (typeof value === 'string') spendSteps(value.length / charsPerStep)
  if (looks === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return
  for (const name in value) spendSteps(looks * (1 + name.length / CHARS_PER_STEP))
}
