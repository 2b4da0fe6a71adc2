import type { ActivityBody, JobBody } from './api-shapes.js'
import { isFinal } from './api-shapes.js'
import { CliError, EXIT } from './cli-error.js'
import type { CommandContext } from './command-context.js'
import type { ServerEvent } from './event-parser.js'
import { ApiProblem } from './http-client.js'
import { makeProgress } from './progress.js'

/** A node may restart meanwhile: so long it may be out of reach, milliseconds. */
const PATIENCE_MS = 30_000
/** Before the node is asked again; also where it ends streams because it stops. */
const PAUSE_MS = 500

/** Follows a job to its end and shows its progress on stderr. */
export async function followJob(context: CommandContext, id: string): Promise<JobBody> {
  const show = await makeProgress(context)
  try {
    for await (const news of followNews(context, id)) {
      const activity = news.findLast(({ name }) => name === 'activity')
      if (activity !== undefined) show.activity(JSON.parse(activity.data) as ActivityBody)
      if (news.some(({ id: seq }) => seq !== null)) show.update(await readJob(context, id))
    }
    const job = await readJob(context, id)
    show.update(job)
    return job
  } finally {
    show.stop()
  }
}

/**
 * What happens to a job, as it happens, until it has ended: events of its timeline, each once, and
 * between them what its attempts tell. Goes on where it was when the node has been away.
 */
export async function* followNews(
  context: CommandContext,
  id: string,
): AsyncGenerator<readonly ServerEvent[]> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/events`
  let last: string | undefined
  let lostSince: number | null = null
  for (;;) {
    try {
      for await (const news of context.client.stream(path, last)) {
        lostSince = null
        last = news.findLast((event) => event.id !== null)?.id ?? last
        if (news.length > 0) yield news
      }
      // It ends behind the last event, and where its node stops.
      if (isFinal(await readJob(context, id))) return
    } catch (error) {
      if (!mayComeBack(error)) throw error
      lostSince ??= performance.now()
      if (performance.now() - lostSince > PATIENCE_MS) throw gone(id)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

async function readJob({ client }: CommandContext, id: string): Promise<JobBody> {
  return (await client.call<JobBody>('GET', `/v1/jobs/${encodeURIComponent(id)}`)).body
}

function mayComeBack(error: unknown): boolean {
  if (error instanceof ApiProblem) return error.retryAfterMs !== null
  return error instanceof CliError && error.exitCode === EXIT.noNode
}

function gone(id: string): CliError {
  return new CliError(`No node has answered for ${PATIENCE_MS / 1000} s; job ${id} was accepted.`, {
    exitCode: EXIT.noNode,
    remedy: `It goes on when a node is back: look with \`gyre job ${id}\`.`,
  })
}
