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
