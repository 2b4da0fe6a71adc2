import { assert } from '../base/assert.js'
import type { Output } from './output.js'

/** What a node says of itself when it serves. */
export interface Ready {
  readonly id: string
  readonly name: string
  /** URL of its API. */
  readonly api: string
}

export function printReady(output: Output, { id, name, api }: Ready): void {
  if (output.json) {
    output.line(JSON.stringify({ event: 'ready', id, name, api, ring: null }))
  } else {
    output.line(`ready ${id} name ${name} api ${api} ring none`)
  }
}

/** From another process of ours. */
export function decodeReady(message: unknown): Ready {
  assert(isReady(message), 'a node of gyre dev sent something else than that it is ready')
  return message
}

function isReady(message: unknown): message is Ready {
  if (typeof message !== 'object' || message === null) return false
  const fields: Partial<Record<string, unknown>> = { ...message }
  return ['id', 'name', 'api'].every((field) => typeof fields[field] === 'string')
}
