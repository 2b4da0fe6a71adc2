import { isFinal, type JobBody } from './api-shapes.js'
import { CliError, EXIT } from './cli-error.js'
import type { CommandContext } from './command-context.js'

/** How long one read waits for the end before it brings news of the progress. */
const LOOK_EVERY = '1s'
/** A node may restart meanwhile: so long it may be out of reach, milliseconds. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 500

/** Follows a job to its end and shows its progress on stderr. */
export async function followJob(context: CommandContext, id: string): Promise<JobBody> {
  const show = await makeProgress(context)
  let lostSince: number | null = null
  try {
    for (;;) {
      const job = await look(context, id)
      if (job === null) {
        lostSince ??= performance.now()
        if (performance.now() - lostSince > PATIENCE_MS) throw gone(id)
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
        continue
      }
      lostSince = null
      show.update(job)
      if (isFinal(job)) return job
    }
  } finally {
    show.stop()
  }
}

/** The job as it is within a second; null when no node answers. */
async function look(context: CommandContext, id: string): Promise<JobBody | null> {
  const path = `/v1/jobs/${encodeURIComponent(id)}`
  try {
    const answer = await context.client.call<JobBody>('GET', path, { query: { wait: LOOK_EVERY } })
    return answer.body
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.noNode) return null
    throw error
  }
}

function gone(id: string): CliError {
  return new CliError(`No node has answered for ${PATIENCE_MS / 1000} s; job ${id} was accepted.`, {
    exitCode: EXIT.noNode,
    remedy: `It goes on when a node is back: look with \`gyre job ${id}\`.`,
  })
}

interface Progress {
  update(job: JobBody): void
  stop(): void
}

/** A bar on a terminal, a line for each change elsewhere. */
async function makeProgress(context: CommandContext): Promise<Progress> {
  return process.stderr.isTTY === true ? bar() : lines(context)
}

function lines({ output }: CommandContext): Progress {
  let last = ''
  return {
    update(job) {
      const line = `${job.status} ${job.progress.done}/${job.progress.total}`
      if (line !== last) output.note(line)
      last = line
    },
    stop() {},
  }
}

async function bar(): Promise<Progress> {
  const { default: progress } = await import('cli-progress')
  const shown = new progress.SingleBar({
    format: '{bar} {value}/{total} {status}',
    stream: process.stderr,
    hideCursor: true,
  })
  let started = false
  return {
    update(job) {
      if (!started) shown.start(job.progress.total, 0, { status: job.status })
      started = true
      shown.setTotal(job.progress.total)
      shown.update(job.progress.done, { status: job.status })
    },
    stop() {
      if (started) shown.stop()
    },
  }
}
