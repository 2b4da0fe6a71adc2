import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, RestClient } from '../integration/rest-client.js'
import type { FuzzRequest } from './requests.js'

/** Seconds, nearly. */
const SETTLING_LOOKS = 30

/**
 * What the node must hold after all that it has acknowledged, and nothing else: a request that was
 * refused has left nothing behind.
 */
export class KnownState {
  readonly #jobs = new Set<string>()
  /** Deleted, or submitted with a retention of next to nothing. */
  readonly #mayBeGone = new Set<string>()
  /** Every key that was ever written with success. */
  readonly #written = new Set<string>()
  /** Of them, those that no DELETE was sent for. */
  readonly #kept = new Set<string>()
  /** A bulk deletion was taken: which jobs are left is not known here. */
  #isThinned = false
  #newest: string[] = []

  /** Replaces `KNOWN-n` by a job that there is; the newest 1,000, so that some still run. */
  resolve(request: FuzzRequest): FuzzRequest {
    const path = request.path.replace(/KNOWN-(\d+)/g, (_, number: string) => {
      return this.#newest[Number(number) % Math.max(this.#newest.length, 1)] ?? '0'.repeat(32)
    })
    if (request.method === 'DELETE') this.#kept.delete(keyOf(path) ?? '')
    return { ...request, path }
  }

  note({ method, path, body }: FuzzRequest, status: number, answer: Answer['body']): void {
    if (status >= 300) return
    const key = keyOf(path)
    if (method === 'PUT' && key !== null) this.#noteWrite(key)
    if (method === 'DELETE')
      this.#mayBeGone.add(/^\/v1\/jobs\/([0-9a-f]{32})/.exec(path)?.[1] ?? '')
    if (method !== 'POST') return
    if (path.startsWith('/v1/jobs/actions')) this.#isThinned ||= isDeletion(body)
    for (const { id } of [answer, ...(answer?.results ?? [])]) {
      if (typeof id !== 'string') continue
      this.#noteJob(id)
      if (isFleeting(body)) this.#mayBeGone.add(id)
    }
  }

  /** @returns what is wrong, in words */
  async differences(client: RestClient): Promise<string[]> {
    const { listed, counts } = await settled(client)
    const records = await everything(client, '/v1/dht', 'key')
    const wrong: string[] = []
    for (const id of listed) if (!this.#jobs.has(id)) wrong.push(`job ${id}: nobody has its ID`)
    for (const id of this.#jobs) {
      if (listed.has(id) || this.#mayBeGone.has(id) || this.#isThinned) continue
      const { status, body } = await client.call('GET', `/v1/jobs/${id}`)
      wrong.push(`job ${id} is in no list: ${status} ${JSON.stringify(body).slice(0, 500)}`)
    }
    if (counts.total !== listed.size) {
      wrong.push(`${listed.size} jobs are listed, ${JSON.stringify(counts)} counted`)
    }
    for (const key of records) {
      if (!this.#written.has(key)) wrong.push(`record ${JSON.stringify(key)}: nobody wrote it`)
    }
    for (const key of this.#kept) {
      if (!records.has(key)) wrong.push(`record ${JSON.stringify(key)} is gone`)
    }
    return wrong
  }

  #noteWrite(key: string): void {
    if (!this.#written.has(key)) this.#kept.add(key)
    this.#written.add(key)
  }

  #noteJob(id: string): void {
    if (this.#jobs.has(id)) return
    this.#jobs.add(id)
    this.#newest.push(id)
    if (this.#newest.length > 2000) this.#newest = this.#newest.slice(-1000)
  }
}

function keyOf(path: string): string | null {
  const segment = /^\/v1\/dht\/([^?]*)/.exec(path)?.[1]
  try {
    return segment === undefined ? null : decodeURIComponent(segment)
  } catch {
    return null
  }
}

/** It says how long a job is kept, and not one of the usual times. */
function isFleeting(body: Buffer | null): boolean {
  return /"retention":(?!"[17]d"|86400000[,}])/.test(body?.toString('latin1') ?? '')
}

function isDeletion(body: Buffer | null): boolean {
  return body?.includes('delete') === true
}

/**
 * The jobs as listed and as counted, once both agree: a bulk deletion that was taken may still be at
 * work between the two questions.
 */
async function settled(client: RestClient) {
  for (let look = 1; ; look += 1) {
    const listed = await everything(client, '/v1/jobs', 'id')
    const { body: counts } = await client.call('GET', '/v1/jobs/counts')
    if (counts.total === listed.size || look === SETTLING_LOOKS) return { listed, counts }
    await pause(1000)
  }
}

/** A member of all items of a list. */
async function everything(client: RestClient, list: string, name: string): Promise<Set<string>> {
  const found = new Set<string>()
  for (let cursor = ''; ; ) {
    const { body } = await client.call('GET', `${list}?limit=1000${cursor}`)
    for (const item of body.items) found.add(item[name])
    if (body.nextCursor === null) return found
    cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
  }
}
