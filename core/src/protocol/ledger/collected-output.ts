import { type ForEachPlan, type Json, utf8Length } from '@gyre/jobs'
import type { JobEdit } from './job-edit.js'
import type { FanState } from './job-row.js'
import { COLLECTED_CHUNK_ITEMS, VALUE_BYTES_MAX } from './limits.js'
import { startedItems } from './open-items.js'
import { endOf, keys, type CollectedRow, type OutputRow } from './rows-layout.js'

/**
 * The output of a `forEach` step. What its items give is gathered in chunks as it comes, while all of
 * it may still become one array: the entry in which the last of 100,000 items ends reads some hundred
 * rows then, not each item's.
 */

/** Two brackets, and one comma less than members. */
export function exceedsArray(outputBytes: number): boolean {
  return outputBytes + 1 > VALUE_BYTES_MAX
}

/** Of an item that has ended, for the array: what it gave, null if it failed. */
export function collectedBytes({ collect }: ForEachPlan, output: Json): number {
  // With its comma.
  return collect === 'array' ? utf8Length(JSON.stringify(output)) + 1 : 0
}

export function keepCollected(
  edit: JobEdit,
  { position, index }: { readonly position: number; readonly index: number },
  output: Json,
): void {
  const { forEach, name } = edit.stepPlan(position)
  const { fan } = edit.step(position)
  if (forEach?.collect !== 'array' || fan?.indexed !== true || isTooLarge(fan)) return
  const key = keys.collected(edit.id, name, Math.floor(index / COLLECTED_CHUNK_ITEMS))
  const outputs = [...(edit.context.rows.get<CollectedRow>(key)?.outputs ?? [])]
  const place = index % COLLECTED_CHUNK_ITEMS
  while (outputs.length <= place) outputs.push(null)
  outputs[place] = output
  const row: CollectedRow = { outputs }
  edit.context.rows.put(key, row)
}

/** What the step gives once all of its items have ended. */
export function collect(edit: JobEdit, position: number, fan: FanState): OutputRow {
  const { forEach, name } = edit.stepPlan(position)
  const what = forEach?.collect ?? 'none'
  const counts = { count: fan.total, failed: fan.failed }
  if (what === 'none') return { output: null }
  if (what === 'count') return { output: counts }
  const chunks = takeChunks(edit, name)
  if (isTooLarge(fan)) {
    const itemsUrl = `/v1/jobs/${edit.id}/steps/${name}/items`
    return { output: { ...counts, itemsUrl }, collapsed: true }
  }
  if (fan.indexed === true) return { output: filledUp(chunks, fan.total) }
  return { output: [...startedItems(edit, position)].map(({ item }) => item.output) }
}

/** Once it is, it stays so: what has come since was not kept. */
function isTooLarge({ outputBytes, overflowed }: FanState): boolean {
  return overflowed === true || exceedsArray(outputBytes)
}

function takeChunks({ id, context }: JobEdit, step: string): readonly CollectedRow[] {
  const prefix = keys.collectedOf(id, step)
  const chunks = context.rows.scan<CollectedRow>(prefix, endOf(prefix), Number.MAX_SAFE_INTEGER)
  for (const { key } of chunks) context.rows.delete(key)
  return chunks.map(({ value }) => value)
}

/** Every item has ended, so each chunk but the last is there; failed items at an end gave nothing. */
function filledUp(chunks: readonly CollectedRow[], total: number): Json[] {
  const outputs: Json[] = chunks.flatMap((chunk) => [...chunk.outputs])
  while (outputs.length < total) outputs.push(null)
  return outputs
}
