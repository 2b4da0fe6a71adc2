import type { EngineStatus } from '../protocol/node/messages.js'
import type { NodeClient } from '../runtime/node-client.js'
import { STATUS_TIMEOUT_MS } from './limits.js'

/** The node's own account of itself; null when it does not come soon, which is an answer as well. */
export function statusInTime(client: NodeClient): Promise<EngineStatus | null> {
  return inTime(client.status())
}

/** @returns null when the promise takes longer than a health or metrics request may */
export async function inTime<T>(promise: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), STATUS_TIMEOUT_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
