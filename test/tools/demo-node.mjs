/**
 * The demo's node: a child process started as a person would start it, and its REST API. Nothing
 * else of Gyre is used.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const GYRE = join(import.meta.dirname, '..', '..', 'core', 'bin', 'gyre.js')

/** Starts `gyre dev` and waits for its `ready` line. */
export async function startNode() {
  const child = spawn(process.execPath, [GYRE, 'dev', '--json', '--log-level', 'warn'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  const died = exited.then((code) => {
    throw new Error(`the node ended by itself with code ${code}; its log is above`)
  })
  // Whoever waits for something else hears of it by `orDeath`.
  died.catch(() => {})
  const line = new Promise((resolve) =>
    createInterface({ input: child.stdout }).once('line', resolve),
  )
  const { api } = JSON.parse(await Promise.race([line, died]))
  return {
    url: api,
    /** The promise, or an error as soon as the node is gone. */
    orDeath: (promise) => Promise.race([promise, died]),
    /** Stops the node gracefully; gives its exit code. */
    stop() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

/** Calls the API; anything but a 2xx is an error. */
export async function call(node, method, path, { body, headers } = {}) {
  const response = await node.orDeath(
    fetch(node.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  const answer = await response.json()
  if (response.ok) return answer
  throw new Error(`${method} ${path}: ${response.status} ${answer.code}: ${answer.detail}`)
}

const FINAL = ['succeeded', 'failed', 'cancelled', 'compensated', 'compensation_failed']

/** Submits a job and follows it to its end; `onProgress` sees it about every second. */
export async function runJob(node, submission, key, onProgress) {
  const headers = { 'idempotency-key': key }
  const { id } = await call(node, 'POST', '/v1/jobs', { body: submission, headers })
  for (;;) {
    const job = await call(node, 'GET', `/v1/jobs/${id}?wait=1s`)
    onProgress(job)
    if (FINAL.includes(job.status)) return job
  }
}

/** All events of a job, oldest first. */
export async function historyOf(node, id) {
  const events = []
  for (let cursor = ''; ; ) {
    const page = await call(node, 'GET', `/v1/jobs/${id}/history?limit=1000${cursor}`)
    events.push(...page.items)
    if (page.nextCursor === null) return events
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
}
