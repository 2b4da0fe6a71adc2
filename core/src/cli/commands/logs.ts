import type { ListBody, LogLineBody } from '../api-shapes.js'
import type { CommandContext } from '../command-context.js'
import { followNews } from '../follow-job.js'
import type { Output } from '../output.js'
import { readPages } from '../read-pages.js'

export interface LogsOptions {
  readonly step?: string
  readonly follow?: boolean
}

/** Lines of one job at most: 64 KiB of the shortest ones are fewer. */
const LINES_MAX = 10_000

/** Shows what the handlers of a job logged, one line each; with `--follow` also what they will. */
export async function logs(
  context: CommandContext,
  id: string,
  { step, follow }: LogsOptions,
): Promise<void> {
  const { output } = context
  const list = await linesAfter(context, id, { step, after: 0 })
  if (follow === true) return followLogs(context, id, { step, list })
  await output.result(list, () => {
    sayDropped(output, list)
    for (const line of list.items) output.line(textOf(line))
  })
}

async function followLogs(
  context: CommandContext,
  id: string,
  options: { readonly step: string | undefined; readonly list: ListBody<LogLineBody> },
): Promise<void> {
  const { step, list } = options
  const { output } = context
  let after = 0
  const show = ({ items }: ListBody<LogLineBody>): void => {
    for (const line of items) output.item(line, () => textOf(line))
    after = items.at(-1)?.seq ?? after
  }
  if (!output.json) sayDropped(output, list)
  show(list)
  for await (const _news of followNews(context, id)) {
    show(await linesAfter(context, id, { step, after }))
  }
  const last = await linesAfter(context, id, { step, after })
  show(last)
  const { dropped = 0 } = last
  if (output.json && dropped > 0) output.line(JSON.stringify({ dropped }))
  else if (dropped !== list.dropped) sayDropped(output, last)
}

function sayDropped(output: Output, { dropped = 0 }: ListBody<LogLineBody>): void {
  if (dropped === 0) return
  const lines = dropped === 1 ? '1 earlier line is' : `${dropped} earlier lines are`
  output.note(`${lines} gone from the job's log: it keeps the newest 64 KiB.`)
}

function linesAfter(
  context: CommandContext,
  id: string,
  query: { readonly step: string | undefined; readonly after: number },
): Promise<ListBody<LogLineBody>> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/logs`
  return readPages(context, path, { limit: LINES_MAX, query })
}

function textOf({ at, level, message, step, index, hook, attempt, fields }: LogLineBody): string {
  const item = index === undefined ? '' : `[${index}]`
  const where = `${step}${item}${hook === undefined ? '' : ` ${hook}`} #${attempt}`
  const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`
  return `${at} ${level.padEnd(5)} ${where}: ${message}${more}`
}
