import { randomUUID } from 'node:crypto'
import { parseDuration } from '@gyre/jobs'
import { isFinal, type JobBody } from '../api-shapes.js'
import { CliError, EXIT, usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'
import { followJob } from '../follow-job.js'
import { parseLabels } from '../labels.js'
import { readJsonText } from '../read-input.js'

export interface SubmitOptions {
  readonly service?: string
  readonly file?: string
  readonly input?: string
  readonly key?: string
  readonly priority?: number
  readonly label?: readonly string[]
  readonly delay?: string
  readonly wait?: boolean
}

/** Submits a job and prints its ID; with `--wait` follows it to its end and prints its output. */
export async function submit(
  context: CommandContext,
  job: string | undefined,
  options: SubmitOptions,
): Promise<void> {
  const { client, output } = context
  const { body: accepted } = await client.call<JobBody>('POST', '/v1/jobs', {
    body: await submissionText(job, options),
    // A key of its own makes it safe to repeat the call when its outcome is not known.
    headers: { 'idempotency-key': options.key ?? randomUUID() },
  })
  if (options.wait !== true) return output.result(accepted, () => output.line(accepted.id))

  if (!output.json) output.line(accepted.id)
  const ended = isFinal(accepted) ? accepted : await followJob(context, accepted.id)
  await output.result(ended, () => {
    if (ended.status === 'succeeded') output.value(ended.output)
  })
  if (ended.status !== 'succeeded') throw notSucceeded(ended)
}

/** The submission as JSON text; parts given as JSON are placed into it as they are. */
async function submissionText(job: string | undefined, options: SubmitOptions): Promise<string> {
  const given = [job, options.service, options.file].filter((source) => source !== undefined)
  if (given.length !== 1) {
    throw usageError('Name one thing to submit: a JOB, --service NAME or --file FILE.')
  }
  const input = options.input === undefined ? null : await readJsonText(options.input, '--input')
  if (options.file !== undefined) return fileText(options.file, input, termsOf(options))
  const target = job === undefined ? { service: options.service } : { job }
  const head = JSON.stringify({ ...target, ...termsOf(options) }).slice(0, -1)
  return input === null ? `${head}}` : `${head},"input":${input}}`
}

function delayOf(text: string): number | string {
  const delay = /^\d+$/.test(text) ? Number(text) : text
  if (parseDuration(delay) !== null) return delay
  throw usageError(`--delay ${text}: expected a duration such as 30s, 5m or 2h.`)
}

/** Members of a submission that flags give; a flag goes before what a file says. */
function termsOf({ priority, delay, label }: SubmitOptions): object {
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delay: delayOf(delay) }),
    ...(label === undefined ? {} : { labels: Object.fromEntries(parseLabels(label)) }),
  }
}

async function fileText(file: string, input: string | null, terms: object): Promise<string> {
  const source = file === '-' ? file : `@${file}`
  const text = await readJsonText(source, `--file ${file}`)
  if (input === null && Object.keys(terms).length === 0) return text
  const submission: unknown = JSON.parse(text)
  if (typeof submission !== 'object' || submission === null || Array.isArray(submission)) {
    throw usageError(`--file ${file} must hold a JSON object, the submission.`)
  }
  const given = input === null ? {} : { input: JSON.parse(input) }
  return JSON.stringify({ ...submission, ...terms, ...given })
}

function notSucceeded(job: JobBody): CliError {
  const reason = job.error === null ? '' : `: ${job.error.code}, ${job.error.message}`
  return new CliError(`Job ${job.id} ended ${job.status}${reason}.`, {
    exitCode: EXIT.jobNotSucceeded,
    remedy: `See what happened with \`gyre history ${job.id}\`.`,
  })
}
