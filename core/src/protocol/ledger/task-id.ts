import type { HashText } from './entry-context.js'

/**
 * A task's ID: the job's place on the ring (its first 16 bits), so that the task is found in the
 * job's arc, and a hash of what names the task.
 *
 * @returns 32 hex digits
 */
export function taskId(hash: HashText, job: string, step: string, index: number | null): string {
  const name = `${job}\u0000${step}\u0000${index ?? ''}`
  return job.slice(0, 4) + hash(name).slice(0, 28)
}
