import type { AttemptProgress, AttemptRef, LogLine } from './command.js'
import type { JobEdit } from './job-edit.js'
import { keepLogs } from './job-logs.js'
import { progressed, type TaskState } from './task.js'
import { placeTask, type TaskPlace } from './task-rows.js'

/** What an attempt tells beside its outcome, before its end or with it. */
export interface AttemptNotes {
  readonly attempt: AttemptRef
  readonly logs?: readonly LogLine[]
  readonly logsDropped?: number
  readonly progress?: AttemptProgress
}

/** Keeps it with the job: lines in its log, the progress with the attempt. */
export function keepNotes(
  { edit, place, task }: { edit: JobEdit; place: TaskPlace; task: TaskState },
  notes: AttemptNotes,
): void {
  keepLogs(edit, notes)
  const { progress } = notes
  if (progress !== undefined) placeTask(edit, place, progressed(task, progress))
}
