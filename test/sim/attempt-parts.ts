import type { AttemptRef } from '@gyre/core/internal/protocol/ledger/command.js'

/** What an attempt ID says, read by the checkers' own eyes: job.run.step.index.hook.attempt. */
export interface AttemptParts {
  readonly job: string
  readonly run: number
  readonly step: string
  /** `-` for a step without items. */
  readonly index: string
  readonly isCompensation: boolean
  readonly number: number
  /** Names the task: what is run, whichever attempt it is. */
  readonly task: string
}

export function partsOf(attempt: string): AttemptParts {
  const [job = '', run = '', step = '', index = '', hook = '', number = ''] = attempt.split('.')
  return {
    job,
    run: Number(run),
    step,
    index,
    isCompensation: hook === 'c',
    number: Number(number),
    task: `${job}.${step}.${index}`,
  }
}

/** The attempt ID of an attempt as commands name it. */
export function formatAttempt(ref: AttemptRef): string {
  const hook = ref.hook === 'run' ? 'r' : 'c'
  return [ref.job, ref.run, ref.step, ref.index ?? '-', hook, ref.attempt].join('.')
}
