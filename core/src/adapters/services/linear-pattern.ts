import { RE2JS } from 're2js'
import { PATTERN_SIZE_MAX, PATTERN_STATES_BYTES_MAX } from './limits.js'
import { spendSteps } from './schema-steps.js'

/**
 * A stranger's pattern, matched in linear time by an automaton: with its states at hand a character takes
 * some ten nanoseconds. What makes it slow is counted where it happens: new states, each as large as the
 * pattern at worst, and matching without states where they are too many to be kept.
 */
export interface LinearPattern {
  test(text: string): boolean
  /** What ajv tells patterns apart by: without it all would be the first one. */
  toString(): string
}

/** A match takes microseconds to begin, and up to 200 ns a character. */
const MATCH_STEPS = 16
const STEPS_PER_CHAR = 2
/** Some 200 ns for each place of the pattern that a new state is at. */
const STEPS_PER_PLACE = 2
/** Without states each character takes some 13 ns for each place of the pattern. */
const PLACES_PER_STEP = 8

/** @throws Error that says what to write instead */
export function linearPattern(pattern: string): LinearPattern {
  const compiled = compile(pattern)
  const { dfa } = compiled.re2Input
  const size = compiled.programSize()
  if (size > PATTERN_SIZE_MAX) {
    throw new Error(
      `the pattern ${shown(pattern)} becomes ${size} instructions, more than ${PATTERN_SIZE_MAX}; ` +
        'write shorter repeats, or bound the length with maxLength',
    )
  }
  const closure = dfa.closure.bind(dfa)
  const match = dfa.match.bind(dfa)
  dfa.closure = (places: Iterable<number>, flag: number) => {
    const state = closure(places, flag)
    spendSteps(state.pcs.length * STEPS_PER_PLACE)
    return state
  }
  dfa.match = (input: { endPos(): number }, position: number, anchor: number) => {
    const found = match(input, position, anchor)
    // Null: too many states. What follows reads the text again, without them.
    if (found === null) spendSteps((input.endPos() * size) / PLACES_PER_STEP)
    return found
  }
  const test = (text: string): boolean => {
    spendSteps(MATCH_STEPS + text.length * STEPS_PER_CHAR)
    const before = dfa.memBudget
    try {
      return compiled.test(text)
    } finally {
      keepStates(dfa, before - dfa.memBudget)
    }
  }
  return { test, toString: () => `/${pattern}/` }
}

type States = RE2JS['re2Input']['dfa']

/** Whose states are in memory, and how many bytes of them: of all patterns of the thread. */
const kept = new Set<States>()
let keptBytes = 0

/** Bounds what texts make the patterns of all schemas remember: past it they begin anew. */
function keepStates(states: States, addedBytes: number): void {
  if (addedBytes === 0) return
  kept.add(states)
  keptBytes += addedBytes
  if (keptBytes <= PATTERN_STATES_BYTES_MAX) return
  for (const each of kept) each.clearCache()
  kept.clear()
  keptBytes = 0
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be compiled'
    throw new Error(
      `the pattern ${shown(pattern)} cannot be checked in linear time ` +
        `(${why}); write it without look-around and back-references`,
    )
  }
}

const SHOWN_CHARS = 200

function shown(pattern: string): string {
  return JSON.stringify(pattern.slice(0, SHOWN_CHARS))
}
