import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { IN_FLIGHT } from '../workloads.js'

export interface Answer {
  readonly status: number
  readonly etag: string
  readonly text: string
}

/** Just enough of the API to load a node. */
export class BenchClient {
  readonly #pool: Pool

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: IN_FLIGHT })
  }

  /** @throws when the status is not one of success */
  async send(
    method: 'POST' | 'PUT' | 'GET',
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await this.#pool.request({
      method,
      path,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...sent,
    })
    const text = await answer.body.text()
    const status = answer.statusCode
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    return { status, etag: String(answer.headers['etag'] ?? ''), text }
  }

  /** Waits until every job has ended. */
  async drained(): Promise<void> {
    for (const status of ['queued', 'running', 'compensating']) {
      for (;;) {
        const { text } = await this.send('GET', `/v1/jobs?status=${status}&limit=1`)
        const page = JSON.parse(text) as { readonly items: readonly unknown[] }
        if (page.items.length === 0) break
        await pause(20)
      }
    }
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
