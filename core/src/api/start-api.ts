import { isIP } from 'node:net'
import { AppError } from '../base/app-error.js'
import type { NodeClient } from '../runtime/node-client.js'
import { Admission } from './admission.js'
import { CheckTurns } from './check-turns.js'
import { CLOSE_PATIENCE_MS } from './limits.js'
import { type CompileSchema, InputSchemas } from './input-schemas.js'
import { EventStreams } from './event-streams.js'
import { JobIds } from './job-ids.js'
import { JobWaits } from './job-waits.js'
import { KnownWork } from './known-work.js'
import { Metrics } from './metrics.js'
import type { NodeVitals } from './node-vitals.js'
import { serveOpenApi } from './openapi.js'
import { batchRoutes } from './routes/batch.js'
import { bulkActionsRoute } from './routes/bulk-actions.js'
import { catalogRoutes } from './routes/catalog.js'
import { discoveryRoute } from './routes/discovery.js'
import { eventRoutes } from './routes/events.js'
import { explainRoute } from './routes/explain.js'
import { healthRoutes } from './routes/health.js'
import { jobActionRoutes } from './routes/job-actions.js'
import { jobPartRoutes } from './routes/job-parts.js'
import { jobRoutes } from './routes/jobs.js'
import { recordRoutes } from './routes/records.js'
import { resubmitRoute } from './routes/resubmit.js'
import { ringRoutes } from './routes/ring.js'
import { makeServer } from './server.js'
import { Submissions } from './submissions.js'
import { UnreadAnswers } from './unread-answers.js'

export interface ApiOptions {
  readonly client: NodeClient
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Allows an address that other machines can reach, though nobody has to show a token. */
  readonly insecure?: boolean
  readonly compileSchema: CompileSchema
  /** How this node's process and threads are; absent: nobody looks. */
  readonly vitals?: () => NodeVitals
  /** Called for failures that are the node's own fault. */
  readonly report: (error: unknown) => void
}

export interface Api {
  /** Where it listens, for example `http://127.0.0.1:7070`. */
  readonly url: string
  /**
   * The node stops: those who wait are answered with what is known, and from now on it takes nothing
   * and lets nobody wait. It can still be looked at, and says that it is not ready. Idempotent.
   */
  beginStop(): void
  /** Finishes open requests, closes. Idempotent. */
  close(): Promise<void>
}

/**
 * Serves the node over HTTP.
 *
 * @throws AppError `address_not_loopback`; Node's own error (EADDRINUSE …) when it cannot listen
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { client, host, port } = options
  requireLoopback(host, options.insecure === true)
  let stopping = false
  let url = ''
  const waits = new JobWaits(client)
  const streams = new EventStreams(client)
  const admission = new Admission()
  const unread = new UnreadAnswers()
  const bodiesInFlightBytes = () => admission.inFlightBytes
  const unreadBytes = () => unread.bytes
  const metrics = new Metrics({
    client,
    waits,
    streams,
    bodiesInFlightBytes,
    unreadBytes,
    vitals: options.vitals,
  })
  const app = makeServer({
    identity: client.identity,
    admission,
    metrics,
    unread,
    report: options.report,
    isStopping: () => stopping,
  })
  await serveOpenApi(app, client.identity.version)
  const known = new KnownWork(client)
  const turns = new CheckTurns(() => stopping)
  const schemas = new InputSchemas(options.compileSchema, known, turns)
  const ids = new JobIds()
  const submissions = new Submissions(client, known, schemas, ids)
  jobRoutes(app, { client, submissions, waits })
  batchRoutes(app, { submissions, turns })
  jobActionRoutes(app, { client })
  bulkActionsRoute(app, { client, ids })
  resubmitRoute(app, { client, known, schemas, ids })
  jobPartRoutes(app, { client })
  eventRoutes(app, { client, streams })
  explainRoute(app, { client })
  recordRoutes(app, { client })
  ringRoutes(app, { client, address: () => url })
  discoveryRoute(app, { client, address: () => url })
  catalogRoutes(app, { client, known })
  healthRoutes(app, { client, metrics })
  try {
    url = await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw error
  }
  const beginStop = (): void => {
    stopping = true
    waits.stop()
    streams.stop()
  }
  const close = async (): Promise<void> => {
    beginStop()
    const closed = app.close()
    const patience = setTimeout(() => app.server.closeAllConnections(), CLOSE_PATIENCE_MS)
    await closed
    clearTimeout(patience)
  }
  return { url, beginStop, close }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}

/**
 * Without tokens only this machine may talk to a node.
 *
 * @throws AppError `address_not_loopback`
 */
export function requireLoopback(host: string, insecure: boolean): void {
  if (!isLoopback(host) && !insecure) throw notLoopback(host)
}

function notLoopback(host: string): AppError {
  return new AppError(
    'address_not_loopback',
    `without API tokens a node listens on loopback only, not on ${host}: use 127.0.0.1, or pass ` +
      '--insecure if everyone who can reach this address may do anything',
  )
}
