import type { EventBody, JobBody, JobSummaryBody, ListBody } from '../api-shapes.js'
import type { CommandContext } from '../command-context.js'
import { parseLabels } from '../labels.js'
import { followNews } from '../follow-job.js'
import { readPages } from '../read-pages.js'
import { statusText } from '../output.js'

export interface JobsOptions {
  readonly status?: string
  readonly job?: string
  readonly label?: readonly string[]
  readonly limit?: number
}

const DEFAULT_LIMIT = 50
/** Events that a job keeps at most (api.md). */
const HISTORY_LIMIT = 10_000

/** Lists jobs, newest first. */
export async function jobs(context: CommandContext, options: JobsOptions): Promise<void> {
  const { output } = context
  const labels = parseLabels(options.label ?? []).map(([key, value]) => [`label.${key}`, value])
  const list: ListBody<JobSummaryBody> = await readPages(context, '/v1/jobs', {
    limit: options.limit ?? DEFAULT_LIMIT,
    query: { status: options.status, job: options.job, ...Object.fromEntries(labels) },
  })
  await output.result(list, async () => {
    const rows = list.items.map((job) => [
      job.id,
      statusText(job.status),
      job.job ?? '-',
      job.createdAt,
      job.finishedAt ?? '-',
    ])
    await output.table(['ID', 'STATUS', 'JOB', 'CREATED', 'FINISHED'], rows)
  })
}

/** Shows one job with its steps. */
export async function job(context: CommandContext, id: string): Promise<void> {
  const { client, output } = context
  const { body } = await client.call<JobBody>('GET', `/v1/jobs/${encodeURIComponent(id)}`)
  await output.result(body, () => showJob(context, body))
}

async function showJob({ output }: CommandContext, body: JobBody): Promise<void> {
  output.line(`${body.id}  ${statusText(body.status)}${body.cause ? ` (${body.cause})` : ''}`)
  output.line(`job ${body.job ?? '-'}, run ${body.run}, created ${body.createdAt}`)
  if (body.finishedAt !== null) output.line(`finished ${body.finishedAt}`)
  if (body.error !== null) output.line(`error ${body.error.code}: ${body.error.message}`)
  output.line('')
  const rows = body.steps.map((step) => [
    step.name,
    step.service,
    statusText(step.status),
    String(step.attemptCount),
    step.compensation ? statusText(step.compensation.status) : '-',
    step.error === null ? '' : `${step.error.code}: ${step.error.message}`,
  ])
  await output.table(['STEP', 'SERVICE', 'STATUS', 'ATTEMPTS', 'COMPENSATION', 'ERROR'], rows)
  if (body.output !== null) {
    output.line('')
    output.value(body.output)
  }
}

/** Shows a job's timeline; with `--follow` as it happens, to its end. */
export async function history(
  context: CommandContext,
  id: string,
  { follow }: { readonly follow?: boolean },
): Promise<void> {
  const { output } = context
  if (follow === true) return followHistory(context, id)
  const path = `/v1/jobs/${encodeURIComponent(id)}/history`
  const list: ListBody<EventBody> = await readPages(context, path, { limit: HISTORY_LIMIT })
  await output.result(list, async () => {
    const rows = list.items.map((event) => [event.at, event.type, otherMembers(event)])
    await output.table(['AT', 'EVENT', 'DETAILS'], rows)
  })
}

/** Columns of a fixed width: what comes later is not known. */
async function followHistory(context: CommandContext, id: string): Promise<void> {
  for await (const news of followNews(context, id)) {
    for (const { data } of news.filter((one) => one.id !== null)) {
      const event: EventBody = JSON.parse(data)
      const { at, type } = event
      context.output.item(event, () =>
        `${at}  ${type.padEnd(20)}  ${otherMembers(event)}`.trimEnd(),
      )
    }
  }
}

/** Everything about an event but what stands in columns of its own: `step=a attempt=1`. */
function otherMembers(event: EventBody): string {
  return Object.entries(event)
    .filter(([name, value]) => !['at', 'type', 'seq'].includes(name) && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}
