import type {
  CompensatePlan,
  ForEachPlan,
  JobPlan,
  MemoizePlan,
  Json,
  RetryPlan,
  StepPlan,
  WhenPlan,
} from '@gyre/jobs'

/** Plans for tests, short to write: what is left out is the simplest there is. */

export const ONCE: RetryPlan = retry(1)

export function retry(attempts: number, changes: Partial<RetryPlan> = {}): RetryPlan {
  const base = { delayMs: 1000, factorMilli: 2000, maxDelayMs: 300_000, jitter: false }
  return { attempts, ...base, ...changes }
}

export interface StepSketch {
  readonly service?: string
  readonly needs?: readonly string[]
  readonly input?: Json
  readonly retry?: RetryPlan
  readonly timeoutMs?: number
  readonly forEach?: Partial<ForEachPlan> & { readonly items: Json }
  readonly compensate?: Partial<CompensatePlan> | true
  readonly memoize?: MemoizePlan
  readonly when?: WhenPlan
  readonly onSkippedNeed?: 'run'
  readonly onFailure?: true
}

/** @param steps by name, in an order in which each stands behind those that it needs */
export function planOf(steps: Readonly<Record<string, StepSketch>>, output?: Json): JobPlan {
  const names = Object.keys(steps)
  return {
    job: null,
    single: names.length === 1 && names[0] === 'main',
    steps: names.map((name) => stepOf(name, steps[name] ?? {})),
    ...(output === undefined ? {} : { output }),
  }
}

function stepOf(name: string, sketch: StepSketch): StepPlan {
  return {
    name,
    service: sketch.service ?? 'work',
    needs: sketch.needs ?? [],
    input: sketch.input ?? null,
    timeoutMs: sketch.timeoutMs ?? 60_000,
    retry: sketch.retry ?? retry(3),
    forEach: sketch.forEach ? forEachOf(sketch.forEach) : null,
    compensate: sketch.compensate ? compensateOf(name, sketch.compensate) : null,
    ...(sketch.memoize === undefined ? {} : { memoize: sketch.memoize }),
    ...(sketch.when === undefined ? {} : { when: sketch.when }),
    ...(sketch.onSkippedNeed === undefined ? {} : { onSkippedNeed: sketch.onSkippedNeed }),
    ...(sketch.onFailure === undefined ? {} : { onFailure: sketch.onFailure }),
  }
}

function forEachOf(sketch: Partial<ForEachPlan> & { readonly items: Json }): ForEachPlan {
  return { concurrency: 64, onItemError: 'fail', collect: 'array', ...sketch }
}

function compensateOf(name: string, sketch: Partial<CompensatePlan> | true): CompensatePlan {
  const base = { service: `undo.${name}`, hook: false, timeoutMs: 60_000, retry: retry(3) }
  return sketch === true ? base : { ...base, ...sketch }
}
