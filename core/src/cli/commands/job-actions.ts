import { randomUUID } from 'node:crypto'
import type { JobBody } from '../api-shapes.js'
import { usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'

/** Cancels a job; with `--compensate` what it has done is undone. */
export async function cancel(
  context: CommandContext,
  id: string,
  options: { readonly compensate?: boolean },
): Promise<void> {
  await act(context, id, 'cancel', { compensate: options.compensate === true })
}

/** Runs a failed job, or its failed compensation, again. */
export async function retry(context: CommandContext, id: string): Promise<void> {
  await act(context, id, 'retry', undefined)
}

/** Gives up one step's compensation, so that the others go on. */
export async function skip(
  context: CommandContext,
  id: string,
  step: string,
  options: { readonly reason?: string },
): Promise<void> {
  const reason = options.reason
  if (reason === undefined) throw usageError('Say why with --reason TEXT: it stays in the history.')
  await act(context, id, 'skip', { step, reason })
}

/** Ends a job whose compensation has failed. */
export async function fail(
  context: CommandContext,
  id: string,
  { reason }: { readonly reason?: string },
): Promise<void> {
  if (reason === undefined) throw usageError('Say why with --reason TEXT: it stays in the history.')
  await act(context, id, 'fail', { reason })
}

/** Submits a job like this one; with `--from` what the steps before gave is taken over. */
export async function resubmit(
  { client, output }: CommandContext,
  id: string,
  { from }: { readonly from?: string },
): Promise<void> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/resubmit`
  const { body } = await client.call<JobBody>('POST', path, {
    headers: { 'idempotency-key': randomUUID() },
    body: JSON.stringify(from === undefined ? {} : { from }),
  })
  await output.result(body, () => output.line(body.id))
}

/** Removes a finished job and all that belongs to it. */
export async function remove({ client, output }: CommandContext, id: string): Promise<void> {
  await client.call('DELETE', `/v1/jobs/${encodeURIComponent(id)}`, {
    headers: { 'idempotency-key': randomUUID() },
  })
  await output.result({ id, deleted: true }, () => output.line(`${id} deleted`))
}

async function act(
  { client, output }: CommandContext,
  id: string,
  action: 'cancel' | 'retry' | 'skip' | 'fail',
  body: unknown,
): Promise<void> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/${action}`
  const answer = await client.call<JobBody>('POST', path, {
    headers: { 'idempotency-key': randomUUID() },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await output.result(answer.body, () => output.line(`${answer.body.id} ${answer.body.status}`))
}
