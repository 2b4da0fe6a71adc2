import type { JobError } from '@gyre/jobs'
import { jobOutput } from './inputs.js'
import type { JobEdit } from './job-edit.js'
import { statusOf } from './job-status.js'
import { keys, type OutputRow } from './rows-layout.js'

/** Brings a job to its end: its status follows from its cause and from what was undone. */
export function finishJob(edit: JobEdit): void {
  edit.patch({ phase: 'ended', finishedAt: edit.context.at })
  const { cause, error } = edit.row
  const status = statusOf(edit.row, edit.steps)
  edit.note({ type: 'job_ended', status, cause, ...(error === null ? {} : { error }) })
}

/** All steps have succeeded. @returns the error when the job's output cannot be made */
export function succeedJob(edit: JobEdit): JobError | null {
  const template = edit.plan.output
  if (template !== undefined) {
    const output = jobOutput(edit, template)
    if (!output.ok) return output.error
    const row: OutputRow = { output: output.value }
    edit.context.rows.put(keys.jobOutput(edit.id), row)
    edit.patch({ ownOutput: true })
  }
  finishJob(edit)
  return null
}
