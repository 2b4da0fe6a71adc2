import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess, within } from './node-process.js'
import { RestClient } from './rest-client.js'

/** As many followers as a page that goes round brings, of which a node takes only some. */

const STREAMS_MAX = 2000
/** Each takes a file here and one in the node; both need some for themselves. */
const CONNECTIONS = Math.min(10_000, openFilesMax() - 2000)
/** Connections that are being made at a time. */
const AT_A_TIME = 100
const END_TIMEOUT_MS = 60_000
/** Some 330 were measured. */
const MIB_MAX = 600

test('10,000 clients follow a job: 2,000 are told its end, the others that they are too many, the node works on', async (t) => {
  const node = await NodeProcess.start(t, ['--data', temporaryFolder(t), '--init'])
  const client = RestClient.open(t, node.url)
  const { body: job } = await client.submit({ service: 'test.echo', delay: '1h' })
  const followers: Follower[] = []
  while (followers.length < CONNECTIONS) {
    const next = Array.from({ length: AT_A_TIME }, () => new Follower(t, node.url, job.id))
    await Promise.all(next.map(({ answered }) => answered))
    followers.push(...next)
  }
  const taken = followers.filter(({ text }) => text.startsWith('HTTP/1.1 200 '))
  assert.equal(taken.length, STREAMS_MAX)
  for (const { text } of followers.filter((follower) => !taken.includes(follower))) {
    assert.match(text, /^HTTP\/1\.1 503 [^]*retry-after: \d[^]*"code":"overloaded"/)
  }
  const { body: other } = await client.submit({ service: 'test.echo', input: 1 })
  assert.equal((await client.finished(other.id)).status, 'succeeded')
  assert.equal((await client.call('POST', `/v1/jobs/${job.id}/cancel`)).status, 202)
  const ends = Promise.all(taken.map(({ ended }) => ended))
  await within(END_TIMEOUT_MS, ends, () => 'not all were told the end of the job')
  t.diagnostic(`${CONNECTIONS} connections, ${peakMiB(node)} MiB`)
  assert.ok(peakMiB(node) < MIB_MAX, `${peakMiB(node)} MiB`)
})

/** One client that follows a job and stays, whatever it is told. */
class Follower {
  /** There is an answer, with its first line and body. */
  readonly answered: Promise<void>
  /** It was told the job's last event. */
  readonly ended: Promise<void>
  readonly #socket: Socket
  #text = ''
  #tell = (): void => {}
  #tellEnd = (): void => {}

  constructor(owner: Owner, url: string, job: string) {
    this.answered = new Promise((resolve) => {
      this.#tell = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve
    })
    this.#socket = connect(Number(new URL(url).port), '127.0.0.1')
    atEnd(owner, () => this.#socket.destroy())
    this.#socket.setEncoding('latin1').on('data', (part: string) => this.#take(part))
    this.#socket.on('error', () => this.#tell()).on('close', () => this.#tell())
    this.#socket.write(`GET /v1/jobs/${job}/events HTTP/1.1\r\nHost: a\r\n\r\n`)
  }

  get text(): string {
    return this.#text
  }

  #take(part: string): void {
    this.#text += part
    if (/\r\n\r\n[^]*(retry: |"code")/.test(this.#text)) this.#tell()
    if (this.#text.includes('"status":"cancelled"')) this.#tellEnd()
  }
}

function openFilesMax(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

/** The most memory that the process ever held, as Linux counts it. */
function peakMiB({ pid }: NodeProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024)
}
