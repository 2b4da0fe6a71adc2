import type { JobView } from './final-state.js'
import type { SimApi } from './sim-api.js'
import { bodyOf, surveyJobs } from './survey.js'

/** A job as clients see it, and what its history says of refusals and of what ends them. */
export interface JobTimeline {
  readonly job: JobView
  readonly events: readonly RefusalEvent[]
}

export interface RefusalEvent {
  readonly type: 'service_refused' | 'attempt_started' | 'job_retried'
  readonly step?: string
  readonly hook?: string
  readonly service?: string
  readonly reason?: string
  readonly text?: string
}

const TYPES: ReadonlySet<string> = new Set(['service_refused', 'attempt_started', 'job_retried'])
const PAGE = 1_000

/** Asks a node for every job and its history. */
export function askTimelines(
  api: SimApi,
  arcCount: number,
  take: (timelines: readonly JobTimeline[]) => void,
): void {
  const timelines: JobTimeline[] = []
  surveyJobs(api, arcCount, (jobsOfArcs) => {
    const left = jobsOfArcs.flatMap((jobs, arc) => jobs.map((job) => ({ job, arc })))
    const next = (): void => {
      const one = left.pop()
      if (one === undefined) return take(timelines)
      askHistory(api, one.arc, one.job.id, [], (events) => {
        timelines.push({ job: one.job, events })
        next()
      })
    }
    next()
  })
}

function askHistory(
  api: SimApi,
  arc: number,
  id: string,
  before: readonly (RefusalEvent & { readonly seq: number })[],
  take: (events: readonly RefusalEvent[]) => void,
): void {
  const after = before.at(-1)?.seq ?? 0
  api.ask(arc, JSON.stringify({ kind: 'history', id, after, limit: PAGE }), (reply) => {
    // It may have gone since it was listed.
    if (!reply.ok && reply.code === 'job_not_found') return take([])
    const { items, more } = bodyOf(reply)
    const events = [...before, ...items]
    if (more) return askHistory(api, arc, id, events, take)
    take(events.filter(({ type }) => TYPES.has(type)))
  })
}
