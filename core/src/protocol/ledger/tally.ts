import { FINAL_STATUSES, type JobStatus } from '../../base/job-statuses.js'
import { Histogram, type HistogramFigures } from '../../base/histogram.js'
import { ServiceLabels } from '../../base/service-labels.js'
import type { AttemptEnd } from './task.js'

/** Upper bounds, seconds: from what starts at once to what has waited for a day. */
const START_BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 86_400]
/** Upper bounds, seconds: from a few milliseconds, which is two syncs of the log, to hours. */
const RUN_BOUNDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15, 60, 300, 1800, 7200]

export type UndoneStep = 'undone' | 'failed' | 'skipped'

/** Ends of one service's attempts, and how long they ran. */
export interface ServiceFigures {
  readonly ends: Readonly<Partial<Record<AttemptEnd, number>>>
  readonly seconds: HistogramFigures
}

/** What a node's ledgers have done in this life, as plain numbers (core/docs/reference/metrics.md). */
export interface TallyFigures {
  readonly submitted: number
  readonly ended: Readonly<Partial<Record<JobStatus, number>>>
  readonly startSeconds: HistogramFigures
  readonly services: Readonly<Record<string, ServiceFigures>>
  readonly compensationsStarted: number
  readonly undoneSteps: Readonly<Record<UndoneStep, number>>
}

/**
 * Counts what entries bring about. No part of the state: what is counted here is in no row, and an
 * entry that is applied again after a crash is not counted again (ledger-node.ts).
 */
export class LedgerTally {
  #submitted = 0
  readonly #ended = new Map<JobStatus, number>(FINAL_STATUSES.map((status) => [status, 0]))
  readonly #startSeconds = new Histogram(START_BOUNDS)
  readonly #labels = new ServiceLabels()
  readonly #services = new Map<string, ServiceTally>()
  #compensationsStarted = 0
  readonly #undoneSteps: Record<UndoneStep, number> = { undone: 0, failed: 0, skipped: 0 }

  jobSubmitted(): void {
    this.#submitted += 1
  }

  /** @param afterMs  since its submission, or since it was allowed to start where that is later */
  jobStarted(afterMs: number): void {
    this.#startSeconds.observe(afterMs / 1000)
  }

  /** Counts again what an operator moved on and what has ended again. */
  jobEnded(status: JobStatus): void {
    this.#ended.set(status, (this.#ended.get(status) ?? 0) + 1)
  }

  attemptEnded(service: string, end: AttemptEnd, ranMs: number): void {
    const label = this.#labels.of(service)
    let tally = this.#services.get(label)
    if (tally === undefined) {
      tally = { ends: {}, seconds: new Histogram(RUN_BOUNDS) }
      this.#services.set(label, tally)
    }
    tally.ends[end] = (tally.ends[end] ?? 0) + 1
    tally.seconds.observe(ranMs / 1000)
  }

  compensationStarted(): void {
    this.#compensationsStarted += 1
  }

  /** A step that was to be undone is dealt with, or has failed to be. */
  stepUndone(how: UndoneStep): void {
    this.#undoneSteps[how] += 1
  }

  get figures(): TallyFigures {
    const services = [...this.#services].map(([name, { ends, seconds }]) => {
      return [name, { ends: { ...ends }, seconds: seconds.figures }] as const
    })
    return {
      submitted: this.#submitted,
      ended: Object.fromEntries(this.#ended),
      startSeconds: this.#startSeconds.figures,
      services: Object.fromEntries(services),
      compensationsStarted: this.#compensationsStarted,
      undoneSteps: { ...this.#undoneSteps },
    }
  }
}

interface ServiceTally {
  readonly ends: Partial<Record<AttemptEnd, number>>
  readonly seconds: Histogram
}
