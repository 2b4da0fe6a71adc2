import type { ActivityBody, JobBody } from './api-shapes.js'
import type { CommandContext } from './command-context.js'

/** Shows on stderr how far a job is. */
export interface Progress {
  update(job: JobBody): void
  /** What its running attempts say. */
  activity(activity: ActivityBody): void
  stop(): void
}

/** A bar on a terminal, a line for each change elsewhere. */
export async function makeProgress(context: CommandContext): Promise<Progress> {
  return process.stderr.isTTY === true ? bar() : lines(context)
}

function lines({ output }: CommandContext): Progress {
  let last = ''
  const say = (line: string): void => {
    if (line !== last) output.note(line)
    last = line
  }
  return {
    update: ({ status, progress }) => say(`${status} ${progress.done}/${progress.total}`),
    activity: ({ steps }) => {
      for (const step of steps) say(`${step.name} ${toldBy(step)}`)
    },
    stop() {},
  }
}

async function bar(): Promise<Progress> {
  const { default: progress } = await import('cli-progress')
  const shown = new progress.SingleBar({
    format: '{bar} {value}/{total} {status} {told}',
    stream: process.stderr,
    hideCursor: true,
  })
  let started = false
  const show = ({ done, total }: JobBody['progress'], payload: object): void => {
    if (!started) shown.start(total, 0, { status: '', told: '', ...payload })
    started = true
    shown.setTotal(total)
    shown.update(done, payload)
  }
  return {
    update: ({ status, progress: far }) => show(far, { status, told: '' }),
    activity: ({ progress: far, steps }) => {
      show(far, { told: steps.map((step) => `${step.name} ${toldBy(step)}`).join(', ') })
    },
    stop() {
      if (started) shown.stop()
    },
  }
}

function toldBy({ progress }: ActivityBody['steps'][number]): string {
  const { done, total, note } = progress
  const far = total === null ? String(done) : `${done}/${total}`
  return note === undefined ? far : `${far} ${note}`
}
