import type { JobFilter } from '../protocol/ledger/query.js'
import { LABEL_MEMBER } from './contract/parameters.js'
import { FILTER_LABELS_MAX } from './limits.js'
import { Problem } from './problem.js'
import { parseInstant } from './rfc3339.js'

/** The members of a query string, or of a body, that say which jobs are meant. */
export interface FilterQuery {
  readonly status?: string
  readonly job?: string
  readonly createdAfter?: string
  readonly createdBefore?: string
}

/**
 * @param query  checked against its schema; `label.KEY` members are read of it, too
 * @param place  JSON pointer to it in the request, for what is wrong with it
 */
export function jobFilterOf(query: FilterQuery, place = ''): JobFilter {
  const { status, job, createdAfter, createdBefore } = query
  const labels = labelsOf(query, place)
  return {
    ...(status === undefined ? {} : { status }),
    ...(job === undefined ? {} : { job }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...instantFilter('createdAfter', createdAfter, place),
    ...instantFilter('createdBefore', createdBefore, place),
  }
}

function labelsOf(query: object, place: string): Record<string, string> {
  const labels = Object.entries(query).flatMap(([member, value]) => {
    return member.startsWith(LABEL_MEMBER) ? [[member.slice(LABEL_MEMBER.length), value]] : []
  })
  if (labels.length > FILTER_LABELS_MAX) {
    const detail = `a query may name ${FILTER_LABELS_MAX} labels; this one names ${labels.length}`
    throw new Problem('invalid_request', detail, { at: place === '' ? '/label' : place })
  }
  return Object.fromEntries(labels)
}

function instantFilter(
  name: 'createdAfter' | 'createdBefore',
  text: string | undefined,
  place: string,
): { createdAfter?: number; createdBefore?: number } {
  return text === undefined ? {} : { [name]: parseInstant(text, `${place}/${name}`) }
}
