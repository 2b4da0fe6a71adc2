import type {
  CompensatePlan,
  ForEachPlan,
  JobPlan,
  Json,
  JsonObject,
  RetryPlan,
  StepPlan,
  WhenPlan,
} from '@gyre/jobs'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import { drawBehaviour, drawUndo, toJson } from './behaviour.js'
import { SERVICES, type SimOptions, UNDO_SERVICE } from './swarm.js'

const MAX_STEPS = 5

/** Which of them are met is known without a look at the job: skipped-steps.ts. */
const CONDITIONS: readonly WhenPlan[] = [
  exists('/job/id'),
  exists('/input/nonce'),
  exists('/input/nothing'),
  exists('/job/id', false),
  { from: '/input/nonce', is: { kind: 'equals', value: 'another' } },
]

/** Draws the jobs that clients submit: single services, chains, diamonds, branches and fan-outs. */
export class JobMix {
  readonly #prng: Prng
  /** Of their own: what depends on them moves nothing else. */
  readonly #conditions: Prng
  readonly #memos: Prng
  readonly #options: SimOptions

  constructor(prng: Prng, options: SimOptions) {
    this.#prng = prng
    this.#conditions = prng.fork('conditions')
    this.#memos = prng.fork('memos')
    this.#options = options
  }

  draw(): { readonly plan: JobPlan; readonly input: Json } {
    const prng = this.#prng
    const isSingle = prng.chance(0.4)
    const stepCount = isSingle ? 1 : prng.between(1, MAX_STEPS)
    const steps: StepPlan[] = []
    for (let number = 0; number < stepCount; number += 1) {
      const name = isSingle ? 'main' : `s${number}`
      steps.push(this.#drawStep(name, steps, isSingle))
    }
    const output = outputOf(steps, isSingle)
    const memoised = steps.map((step) => this.#maybeMemoised(step))
    const shaped = isSingle
      ? memoised
      : [...this.#withConditions(memoised), ...this.#failureSteps()]
    const plan: JobPlan = { job: null, single: isSingle, steps: shaped, ...output }
    return { plan, input: { nonce: prng.hex16(), ...this.#filler() } }
  }

  /** Work that other jobs have, too, so that what one of them gave is often given to another. */
  #maybeMemoised(step: StepPlan): StepPlan {
    const prng = this.#memos
    if (step.compensate !== null || !prng.chance(0.4)) return step
    const behaviour = {
      act: prng.pick(['succeed', 'succeed', 'flaky']),
      ms: 1,
      failures: 1,
    }
    const memoize = { forMs: prng.pick([100, 2_000, 60_000]), version: '1.0.0' }
    return { ...step, input: { behaviour }, memoize }
  }

  #withConditions(steps: readonly StepPlan[]): StepPlan[] {
    const prng = this.#conditions
    return steps.map((step) => {
      const plain = step.needs.find((need) => isPlain(steps, need))
      const ofNeed = plain === undefined ? [] : [exists(`/steps/${plain}/output/token`)]
      return {
        ...step,
        ...(prng.chance(0.25) ? { when: prng.pick([...CONDITIONS, ...ofNeed]) } : {}),
        ...(prng.chance(0.4) ? { onSkippedNeed: 'run' } : {}),
      }
    })
  }

  #failureSteps(): StepPlan[] {
    const prng = this.#conditions
    const names = ['f0', 'f1'].slice(0, prng.chance(0.3) ? prng.between(1, 2) : 0)
    return names.map((name, at) => ({
      name,
      service: prng.pick(SERVICES),
      needs: at > 0 && prng.chance(0.5) ? ['f0'] : [],
      input: {
        behaviour: toJson(drawBehaviour(prng, { kinds: this.#kinds(), maxMs: 50 })),
        failed: { $from: '/failure/step' },
      },
      timeoutMs: prng.pick([100, 500]),
      retry: {
        attempts: prng.pick([1, 2]),
        delayMs: 20,
        factorMilli: 1000,
        maxDelayMs: 20,
        jitter: false,
      },
      forEach: null,
      compensate: null,
      onFailure: true,
    }))
  }

  /** In half of the inputs, so that batches differ in size. */
  #filler(): JsonObject {
    const { inputChars } = this.#options
    return inputChars > 0 && this.#prng.chance(0.5) ? { filler: 'x'.repeat(inputChars) } : {}
  }

  #drawStep(name: string, earlier: readonly StepPlan[], isSingle: boolean): StepPlan {
    const prng = this.#prng
    const needs = earlier.filter(() => prng.chance(0.4)).map((step) => step.name)
    const forEach = isSingle || prng.chance(0.7) ? null : this.#drawForEach()
    return {
      name,
      service: prng.pick(SERVICES),
      needs,
      input: this.#drawInput(needs, earlier),
      timeoutMs: prng.pick([100, 500, 3_000]),
      retry: this.#drawRetry(),
      forEach,
      compensate: prng.chance(0.5) ? this.#drawCompensate() : null,
    }
  }

  /** The step's behaviour, its undoing's behaviour, and what it takes over from the steps it needs. */
  #drawInput(needs: readonly string[], earlier: readonly StepPlan[]): JsonObject {
    const behaviour = drawBehaviour(this.#prng, {
      kinds: this.#kinds(),
      maxMs: this.#prng.pick([5, 50, 400]),
    })
    const undo = drawUndo(this.#prng, this.#options.undoMayFail)
    const tokens: Record<string, Json> = {}
    for (const need of needs) {
      if (isPlain(earlier, need)) tokens[need] = { $from: `/steps/${need}/output/token` }
    }
    return { behaviour: toJson(behaviour), undo: toJson(undo), tokens }
  }

  #kinds(): SimOptions['behaviours'] {
    return this.#options.behaviours.length === 0 ? ['succeed'] : this.#options.behaviours
  }

  #drawForEach(): ForEachPlan {
    const prng = this.#prng
    const count = prng.below(this.#options.itemsMax)
    const items = [...Array(count).keys()]
    return {
      items: prng.chance(0.5) ? { range: count } : items,
      concurrency: prng.pick([1, 2, 64]),
      onItemError: prng.pick(['fail', 'continue'] as const),
      collect: prng.pick(['array', 'count', 'none'] as const),
    }
  }

  #drawRetry(): RetryPlan {
    const prng = this.#prng
    return {
      attempts: prng.pick([1, 2, 3, 5]),
      delayMs: prng.pick([1, 20, 200]),
      factorMilli: prng.pick([1000, 1500, 2000]),
      maxDelayMs: prng.pick([200, 1_000]),
      jitter: prng.chance(0.5),
    }
  }

  #drawCompensate(): CompensatePlan {
    const isHook = this.#prng.chance(0.5)
    const timing = { timeoutMs: this.#prng.pick([100, 1_000]), retry: this.#drawRetry() }
    if (isHook) return { service: this.#prng.pick(SERVICES), hook: true, ...timing }
    return { service: UNDO_SERVICE, hook: false, ...timing }
  }
}

/** A job of several steps shows the token of its last step without items; others show by rule. */
function outputOf(steps: readonly StepPlan[], isSingle: boolean): { readonly output?: Json } {
  const last = steps.findLast(({ forEach }) => forEach === null)
  if (isSingle || steps.length < 2 || last === undefined) return {}
  return { output: { token: { $from: `/steps/${last.name}/output/token` } } }
}

/** True for a step without items: its output is that of one attempt. */
function isPlain(steps: readonly StepPlan[], name: string): boolean {
  return steps.some((step) => step.name === name && step.forEach === null)
}

function exists(from: string, wanted = true): WhenPlan {
  return { from, is: { kind: 'exists', exists: wanted } }
}
