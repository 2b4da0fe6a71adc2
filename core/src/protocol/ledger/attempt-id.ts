import type { AttemptRef } from './command.js'

/**
 * The attempt ID that workers see: opaque to them, routable from any node (it opens with the job's
 * ID). Shape: job.run.step.index.hook.attempt, `-` for no index. Step names hold no dots.
 */
export function formatAttemptId(ref: AttemptRef): string {
  const { job, run, step, index, hook, attempt } = ref
  return [job, run, step, index ?? '-', hook === 'run' ? 'r' : 'c', attempt].join('.')
}

const PATTERN = /^([0-9a-f]{32})\.(\d{1,9})\.([A-Za-z0-9_-]{1,64})\.(-|\d{1,9})\.(r|c)\.(\d{1,9})$/

/** @returns null when the text is not an attempt ID */
export function parseAttemptId(text: string): AttemptRef | null {
  const match = PATTERN.exec(text)
  if (match === null) return null
  const [, job, run, step, index, hook, attempt] = match
  return {
    job: job ?? '',
    run: Number(run),
    step: step ?? '',
    index: index === '-' ? null : Number(index),
    hook: hook === 'r' ? 'run' : 'compensate',
    attempt: Number(attempt),
  }
}
