import assert from 'node:assert/strict'
import { type Answer, type Job, RestClient } from './rest-client.js'

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
  /** Job ID → each submission that was answered with 2xx. */
  readonly #jobs = new Map<string, Submitted>()
  /** Submissions whose answer never came, by key: a client repeats them with the same key. */
  readonly #unknown = new Map<string, Submitted>()
  /** Record key → the newest value that was acknowledged. */
  readonly #records = new Map<string, number>()
  #next = 0
  #milestone: { readonly count: number; readonly reached: () => void } | null = null

  /** Resolves in the middle of the load, when this many more jobs have been acknowledged. */
  acknowledgeMore(count: number): Promise<void> {
    return new Promise((reached) => {
      this.#milestone = { count: this.#jobs.size + count, reached }
    })
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
      const submitted = {
        key: `key-${number}`,
        submission: SUBMISSIONS[number % SUBMISSIONS.length]?.(number),
      }
      this.#unknown.set(submitted.key, submitted)
      const answer = await unlessGone(client.submit(submitted.submission, submitted.key))
      if (answer === null) return
      if (answer.status < 300) this.#acknowledge(submitted, answer.body.id)
      const path = `/v1/dht/client-${index}`
      const write = await unlessGone(client.call('PUT', path, { body: number }))
      if (write === null) return
      if (write.status < 300) this.#records.set(path, number)
    }
  }

  #acknowledge(submitted: Submitted, id: string): void {
    const known = this.#jobs.get(id)?.key ?? submitted.key
    assert.equal(known, submitted.key, `job ${id} answers two keys`)
    this.#jobs.set(id, submitted)
    this.#unknown.delete(submitted.key)
    if (this.#milestone !== null && this.#jobs.size >= this.#milestone.count) {
      this.#milestone.reached()
    }
  }

  /**
   * Checks on a node that is back that nothing acknowledged is missing: each key still names its
   * job, each job succeeds, each record is at least as new as the newest value acknowledged. A job
   * whose attempts died with three lives of the node is quarantined, as api.md says of its budget.
   */
  async check(client: RestClient): Promise<void> {
    for (const submitted of this.#unknown.values()) await this.#repeat(client, submitted)
    for (const [id, submitted] of [...this.#jobs]) {
      assert.equal(await this.#repeat(client, submitted), id, `${submitted.key} has two jobs`)
      const job = await client.finished(id)
      if (!isQuarantined(job))
        assert.equal(job.status, 'succeeded', `${id}: ${JSON.stringify(job)}`)
    }
    for (const [path, value] of this.#records) {
      const { body } = await client.call('GET', path)
      assert(body.value >= value, `${path}: ${value} was acknowledged, ${body.value} is there`)
    }
  }

  /** What a client does that got no answer: the same again, with the same key. */
  async #repeat(client: RestClient, submitted: Submitted): Promise<string> {
    const { status, body } = await client.submit(submitted.submission, submitted.key)
    assert(status < 300, `repeating ${submitted.key}: ${status} ${JSON.stringify(body)}`)
    this.#acknowledge(submitted, body.id)
    return body.id
  }
}

function isQuarantined({ status, cause, steps }: Job): boolean {
  const outcomes = steps.map(({ attempts }) => attempts.map(({ outcome }) => outcome))
  const lost = outcomes.map((ends) => ends.filter((outcome) => outcome === 'lost').length)
  return status === 'failed' && cause === 'poison' && Math.max(...lost) === LOST_ATTEMPTS_MAX
}

/** api.md: the third lost attempt of a step in one run fails the job. */
const LOST_ATTEMPTS_MAX = 3

interface Submitted {
  readonly key: string
  readonly submission: unknown
}

/** The answer, or null when the connection broke: nobody knows then what became of the request. */
async function unlessGone(answer: Promise<Answer>): Promise<Answer | null> {
  return answer.catch(() => null)
}
