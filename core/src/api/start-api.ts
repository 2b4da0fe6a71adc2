import type { NodeClient } from '../runtime/node-client.js'
import { type CompileSchema, InputSchemas } from './input-schemas.js'
import { JobIds } from './job-ids.js'
import { JobWaits } from './job-waits.js'
import { KnownWork } from './known-work.js'
import { jobRoutes } from './routes/jobs.js'
import { recordRoutes } from './routes/records.js'
import { makeServer } from './server.js'
import { Submissions } from './submissions.js'

export interface ApiOptions {
  readonly client: NodeClient
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Allows an address that other machines can reach, though nobody has to show a token. */
  readonly insecure?: boolean
  readonly compileSchema: CompileSchema
  /** Called for failures that are the node's own fault. */
  readonly report: (error: unknown) => void
}

export interface Api {
  /** Where it listens, for example `http://127.0.0.1:7070`. */
  readonly url: string
  /** Answers those who wait with what is known, finishes open requests, closes. Idempotent. */
  close(): Promise<void>
}

export async function startApi(options: ApiOptions): Promise<Api> {
  const { client } = options
  let stopping = false
  const { identity } = client
  const app = makeServer({ identity, report: options.report, isStopping: () => stopping })
  const known = new KnownWork(client)
  const waits = new JobWaits(client)
  const schemas = new InputSchemas(options.compileSchema, known)
  const submissions = new Submissions(client, known, schemas, new JobIds())
  jobRoutes(app, { client, submissions, waits })
  recordRoutes(app, { client })
  const url = await app.listen({ host: options.host, port: options.port })
  return {
    url,
    close: async () => {
      stopping = true
      waits.stop()
      await app.close()
    },
  }
}
