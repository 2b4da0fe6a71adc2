import assert from 'node:assert/strict'
import { RestClient } from './rest-client.js'

const CLIENTS = 8

/** The kinds of work that are in flight when the node dies. */
const SUBMISSIONS = [
  (n: number) => ({ service: 'test.echo', input: { n } }),
  (n: number) => ({ service: 'test.sleep', input: { ms: 20 + (n % 200) } }),
  (n: number) => ({
    service: 'test.flaky',
    input: { failures: n % 3 },
    retry: { attempts: 20, delay: '10ms' },
  }),
  (n: number) => ({
    steps: {
      first: { service: 'test.echo', input: { n } },
      second: { service: 'test.sleep', input: { ms: 50 }, needs: ['first'] },
      third: { service: 'test.echo', input: { $from: '/steps/first/output' }, needs: ['second'] },
    },
    output: { $from: '/steps/third/output' },
  }),
]

/**
 * Clients that submit jobs and write records to a node that dies under them, and that remember what
 * was acknowledged. It lives on over the lives of the node.
 */
export class Load {
  /** Job ID → key of each submission that was answered with 2xx. */
  readonly #jobs = new Map<string, string>()
  /** Submissions whose answer never came, by key: a client repeats them with the same key. */
  readonly #unknown = new Map<string, unknown>()
  /** Record key → the newest value that was acknowledged. */
  readonly #records = new Map<string, number>()
  #next = 0

  get jobCount(): number {
    return this.#jobs.size
  }

  /** Runs clients until the node answers no more. */
  async runUntilGone(url: string): Promise<void> {
    const client = new RestClient(url)
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => this.#client(client, index)))
    await client.close()
  }

  async #client(client: RestClient, index: number): Promise<void> {
    for (;;) {
      const number = this.#next
      this.#next += 1
      const key = `key-${number}`
      const submission = SUBMISSIONS[number % SUBMISSIONS.length]?.(number)
      this.#unknown.set(key, submission)
      try {
        const { status, body } = await client.submit(submission, key)
        if (status < 300) this.#acknowledge(key, body.id)
        const write = await client.call('PUT', `/v1/dht/client-${index}`, { body: number })
        if (write.status < 300) this.#records.set(`client-${index}`, number)
      } catch {
        return
      }
    }
  }

  #acknowledge(key: string, id: string): void {
    const known = this.#jobs.get(id)
    assert(known === undefined || known === key, `job ${id} answers the keys ${known} and ${key}`)
    this.#jobs.set(id, key)
    this.#unknown.delete(key)
  }

  /**
   * Checks on a node that is back that nothing acknowledged is missing: each job succeeds, each
   * record is at least as new as the newest value acknowledged.
   */
  async check(client: RestClient): Promise<void> {
    for (const [key, submission] of this.#unknown) {
      const { status, body } = await client.submit(submission, key)
      assert(status < 300, `repeating ${key}: ${status} ${JSON.stringify(body)}`)
      this.#acknowledge(key, body.id)
    }
    for (const id of this.#jobs.keys()) {
      const job = await client.finished(id)
      assert.equal(job.status, 'succeeded', `${id}: ${JSON.stringify(job)}`)
    }
    for (const [key, value] of this.#records) {
      const { body } = await client.call('GET', `/v1/dht/${key}`)
      assert(
        body.value >= value,
        `record ${key}: ${value} was acknowledged, ${body.value} is there`,
      )
    }
  }
}
