import type { EngineStatus } from '@gyre/core/internal/protocol/node/messages.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import { FINAL_STATUSES, type JobView, type RecordView } from './final-state.js'
import type { SimApi } from './sim-api.js'

/** What a survey found: where jobs are not final yet it asks no further. */
export interface Survey {
  readonly open: readonly string[]
  readonly jobs: readonly JobView[]
  readonly records: readonly RecordView[]
  readonly status: EngineStatus
}

const PAGE = 1_000

interface Listed {
  readonly id: string
  readonly createdAt: string
  readonly status: string
}

/**
 * Asks a node for its status, every job and every record: first which there are, then each in full.
 */
export function surveyAll(api: SimApi, arcCount: number, take: (survey: Survey) => void): void {
  const listed: Listed[][] = []
  const listFrom = (arc: number): void => {
    if (arc === arcCount) return api.askStatus(onListed)
    listArc(api, arc, null, (items) => {
      listed.push([...items])
      listFrom(arc + 1)
    })
  }
  const onListed = (status: EngineStatus): void => {
    const open = listed.flat().filter((item) => !FINAL_STATUSES.has(item.status))
    if (open.length > 0)
      return take({
        open: open.map((item) => `${item.id} ${item.status}`),
        jobs: [],
        records: [],
        status,
      })
    askAll(api, listed, (jobs) => {
      askRecords(api, arcCount, (records) => take({ open: [], jobs, records, status }))
    })
  }
  listFrom(0)
}

/** Every job, by arc, whatever its status. */
export function surveyJobs(
  api: SimApi,
  arcCount: number,
  take: (jobsOfArcs: readonly (readonly JobView[])[]) => void,
): void {
  const found: (readonly JobView[])[] = []
  const next = (): void => {
    const arc = found.length
    if (arc === arcCount) return take(found)
    listArc(api, arc, null, (items) => {
      const ids = items.map(({ id }) => id)
      askJobs(api, arc, ids, (jobs) => {
        found.push(jobs)
        next()
      })
    })
  }
  next()
}

function askAll(
  api: SimApi,
  listed: readonly (readonly Listed[])[],
  take: (jobs: readonly JobView[]) => void,
): void {
  const jobs: JobView[] = []
  const askArc = (arc: number): void => {
    const items = listed[arc]
    if (items === undefined) return take(jobs)
    const ids = items.map(({ id }) => id)
    askJobs(api, arc, ids, (found) => {
      jobs.push(...found)
      askArc(arc + 1)
    })
  }
  askArc(0)
}

function listArc(
  api: SimApi,
  arc: number,
  before: Listed | null,
  take: (items: readonly Listed[]) => void,
): void {
  const cursor =
    before === null ? {} : { before: { createdAt: Date.parse(before.createdAt), id: before.id } }
  api.ask(arc, JSON.stringify({ kind: 'jobs', limit: PAGE, ...cursor }), (reply) => {
    const items: readonly Listed[] = bodyOf(reply).items
    const last = items.at(-1)
    if (items.length < PAGE || last === undefined) return take(items)
    listArc(api, arc, last, (more) => take([...items, ...more]))
  })
}

function askJobs(
  api: SimApi,
  arc: number,
  ids: readonly string[],
  take: (jobs: readonly JobView[]) => void,
): void {
  const jobs: JobView[] = []
  if (ids.length === 0) return take(jobs)
  let left = ids.length
  for (const id of ids) {
    api.ask(arc, JSON.stringify({ kind: 'job', id }), (reply) => {
      // It may have gone since it was listed.
      if (reply.ok || reply.code !== 'job_not_found') jobs.push(bodyOf(reply))
      left -= 1
      if (left === 0) take(jobs)
    })
  }
}

function askRecords(
  api: SimApi,
  arcCount: number,
  take: (records: readonly RecordView[]) => void,
): void {
  const records: RecordView[] = []
  const askArc = (arc: number): void => {
    if (arc === arcCount) return take(records)
    const listing = JSON.stringify({ kind: 'records', prefix: '', limit: PAGE })
    api.ask(arc, listing, (reply) => {
      const items: readonly { readonly key: string }[] = bodyOf(reply).items
      askEach(api, arc, items, (found) => {
        records.push(...found)
        askArc(arc + 1)
      })
    })
  }
  askArc(0)
}

function askEach(
  api: SimApi,
  arc: number,
  [first, ...rest]: readonly { readonly key: string }[],
  take: (records: readonly RecordView[]) => void,
): void {
  if (first === undefined) return take([])
  api.ask(arc, JSON.stringify({ kind: 'record', key: first.key }), (reply) => {
    askEach(api, arc, rest, (others) => take([bodyOf(reply), ...others]))
  })
}

export function bodyOf(reply: Reply): ReturnType<typeof JSON.parse> {
  if (!reply.ok || reply.body === undefined)
    throw new Error(`the survey was refused: ${JSON.stringify(reply)}`)
  return JSON.parse(reply.body)
}
