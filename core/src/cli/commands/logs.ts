import type { ListBody, LogLineBody } from '../api-shapes.js'
import type { CommandContext } from '../command-context.js'
import { readPages } from '../read-pages.js'

export interface LogsOptions {
  readonly step?: string
}

/** Lines of one job at most: 64 KiB of the shortest ones are fewer. */
const LINES_MAX = 10_000

/** Shows what the handlers of a job logged, one line each. */
export async function logs(
  context: CommandContext,
  id: string,
  { step }: LogsOptions,
): Promise<void> {
  const { output } = context
  const path = `/v1/jobs/${encodeURIComponent(id)}/logs`
  const list: ListBody<LogLineBody> = await readPages(context, path, {
    limit: LINES_MAX,
    query: { step },
  })
  await output.result(list, () => {
    for (const line of list.items) output.line(textOf(line))
  })
}

function textOf({ at, level, message, step, index, hook, attempt, fields }: LogLineBody): string {
  const item = index === undefined ? '' : `[${index}]`
  const where = `${step}${item}${hook === undefined ? '' : ` ${hook}`} #${attempt}`
  const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`
  return `${at} ${level.padEnd(5)} ${where}: ${message}${more}`
}
