import type { HashText } from './entry-context.js'

const PLACE_DIGITS = 4
/** Hex digits of an item's index: more than items can be. */
const INDEX_DIGITS = 5
const STEP_DIGITS = 32 - PLACE_DIGITS - INDEX_DIGITS

/**
 * A task's ID: the job's place on the ring (its first 16 bits), so that the task is found in the
 * job's arc, and a hash of what names the task. An item's ends with its index, so that one hash finds
 * any of a step's 100,000 items.
 *
 * @returns 32 hex digits
 */
export function taskId(hash: HashText, job: string, step: string, index: number | null): string {
  if (index === null) return placeOf(job) + hash(`${job}\u0000${step}\u0000`).slice(0, 28)
  return itemsPrefix(hash, job, step) + index.toString(16).padStart(INDEX_DIGITS, '0')
}

/** Which item of the step has this ID; null: none that it could have. */
export function itemOfTask(
  hash: HashText,
  id: string,
  { job, step }: { readonly job: string; readonly step: string },
): number | null {
  const prefix = itemsPrefix(hash, job, step)
  return id.startsWith(prefix) ? Number.parseInt(id.slice(prefix.length), 16) : null
}

function itemsPrefix(hash: HashText, job: string, step: string): string {
  return placeOf(job) + hash(`${job}\u0000${step}\u0000items`).slice(0, STEP_DIGITS)
}

function placeOf(job: string): string {
  return job.slice(0, PLACE_DIGITS)
}
