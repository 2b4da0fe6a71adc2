import type { Reply } from '../outcome.js'
import type { Query } from '../query.js'
import { answer } from './answer.js'
import { found, type ReadContext } from './found.js'
import { jobCounts } from './job-counts.js'
import { jobsPage } from './jobs.js'

/**
 * One answer for all arcs of a node: lists and counts of jobs are merged here, where the rows are;
 * of everything else the arcs' answers are put side by side.
 *
 * @param missing  arcs that cannot answer
 */
export function answerForAll(arcs: readonly ReadContext[], missing: number, query: Query): Reply {
  switch (query.kind) {
    case 'jobs': {
      const { items, next } = jobsPage(arcs, query)
      return found({ items, next: next === null ? null : { ...next }, missing })
    }
    case 'job-counts': {
      const { counts, next } = jobCounts(arcs, query)
      const left = next === null ? null : { ...next, before: { ...next.before } }
      return found({ counts, next: left, missing })
    }
    default: {
      const bodies: string[] = []
      for (const arc of arcs) {
        const reply = answer(arc, query)
        if (reply.ok && reply.body !== undefined) bodies.push(reply.body)
      }
      const body = `{"bodies":[${bodies.join(',')}],"missing":${missing + arcs.length - bodies.length}}`
      return { ok: true, result: 'found', body }
    }
  }
}
