/** What the processes of the benchmark agree upon. */

export const NOOP_QUEUE = 'noop'
export const SAGA_QUEUE = 'saga'

/** Finished jobs are removed, as BullMQ's users do: it is the faster setting. */
export const REMOVE_FINISHED = { removeOnComplete: true, removeOnFail: true } as const

export function connectionOf(port: string | undefined) {
  return { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null }
}
