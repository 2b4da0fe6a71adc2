import { randomUUID } from 'node:crypto'
import type { ListBody, RecordBody } from '../api-shapes.js'
import { usageError } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'
import { readJsonText } from '../read-input.js'
import { readPages } from '../read-pages.js'

const DEFAULT_LIMIT = 1000

/** Prints a record's value. */
export async function getRecord(context: CommandContext, key: string): Promise<void> {
  const { body } = await context.client.call<RecordBody>('GET', recordPath(key))
  await context.output.result(body, () => context.output.value(body.value))
}

export interface PutOptions {
  readonly ifVersion?: number
  readonly ifAbsent?: boolean
}

/** Writes a record, on condition where one is given, and prints its version. */
export async function putRecord(
  context: CommandContext,
  key: string,
  value: string,
  options: PutOptions,
): Promise<void> {
  if (options.ifVersion !== undefined && options.ifAbsent === true) {
    throw usageError('Give --if-version or --if-absent, not both.')
  }
  const { body } = await context.client.call<RecordBody>('PUT', recordPath(key), {
    body: await readJsonText(value, 'VALUE'),
    headers: {
      'idempotency-key': randomUUID(),
      ...ifMatch(options.ifVersion),
      ...(options.ifAbsent === true ? { 'if-none-match': '*' } : {}),
    },
  })
  await context.output.result(body, () => context.output.line(`version ${body.version}`))
}

/** Removes a record; removing a missing one is no error. */
export async function deleteRecord(
  context: CommandContext,
  key: string,
  options: { readonly ifVersion?: number },
): Promise<void> {
  await context.client.call('DELETE', recordPath(key), {
    headers: { 'idempotency-key': randomUUID(), ...ifMatch(options.ifVersion) },
  })
  await context.output.result({ key, deleted: true }, () => context.output.line(`deleted ${key}`))
}

/** Lists keys in byte order. */
export async function listRecords(
  context: CommandContext,
  prefix: string | undefined,
  options: { readonly limit?: number },
): Promise<void> {
  const list: ListBody<RecordBody> = await readPages(context, '/v1/dht', {
    limit: options.limit ?? DEFAULT_LIMIT,
    query: { prefix: prefix ?? '' },
  })
  await context.output.result(list, async () => {
    const rows = list.items.map((item) => [item.key, String(item.version), item.updatedAt])
    await context.output.table(['KEY', 'VERSION', 'UPDATED'], rows)
  })
}

function recordPath(key: string): string {
  return `/v1/dht/${encodeURIComponent(key)}`
}

function ifMatch(version: number | undefined): Record<string, string> {
  return version === undefined ? {} : { 'if-match': `"${version}"` }
}
