import type { EngineStatus } from '@gyre/core/internal/protocol/node/messages.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { JobView } from './final-state.js'
import type { SimApi } from './sim-api.js'

export interface JobList {
  readonly jobs: readonly JobView[]
  readonly status: EngineStatus
}

const PAGE = 1_000

interface Listed {
  readonly id: string
  readonly createdAt: string
}

/** Asks a node for every job in full, arc by arc, page by page, then for its status. */
export function observeJobs(api: SimApi, arcCount: number, take: (list: JobList) => void): void {
  const jobs: JobView[] = []
  const askArc = (arc: number): void => {
    if (arc === arcCount) return api.askStatus((status) => take({ jobs, status }))
    listArc(api, arc, null, (ids) => {
      askJobs(api, arc, ids, (found) => {
        jobs.push(...found)
        askArc(arc + 1)
      })
    })
  }
  askArc(0)
}

function listArc(api: SimApi, arc: number, before: Listed | null, take: (ids: readonly string[]) => void): void {
  const cursor = before === null ? {} : { before: { createdAt: Date.parse(before.createdAt), id: before.id } }
  api.ask(arc, JSON.stringify({ kind: 'jobs', limit: PAGE, ...cursor }), (reply) => {
    const items: readonly Listed[] = bodyOf(reply).items
    const ids = items.map(({ id }) => id)
    const last = items.at(-1)
    if (items.length < PAGE || last === undefined) return take(ids)
    listArc(api, arc, last, (more) => take([...ids, ...more]))
  })
}

function askJobs(api: SimApi, arc: number, ids: readonly string[], take: (jobs: readonly JobView[]) => void): void {
  const jobs: JobView[] = []
  if (ids.length === 0) return take(jobs)
  for (const id of ids) {
    api.ask(arc, JSON.stringify({ kind: 'job', id }), (reply) => {
      jobs.push(bodyOf(reply))
      if (jobs.length === ids.length) take(jobs)
    })
  }
}

function bodyOf(reply: Reply): ReturnType<typeof JSON.parse> {
  if (!reply.ok || reply.body === undefined) throw new Error(`the survey was refused: ${JSON.stringify(reply)}`)
  return JSON.parse(reply.body)
}
