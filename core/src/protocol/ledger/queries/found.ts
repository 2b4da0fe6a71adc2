import type { Json } from '@gyre/jobs'
import type { Rows } from '../../state/rows.js'
import type { HashText } from '../entry-context.js'
import type { Reply } from '../outcome.js'

/** What queries read. */
export interface ReadContext {
  readonly rows: Rows
  readonly hash: HashText
}

export function found(body: Json): Reply {
  return { ok: true, result: 'found', body: JSON.stringify(body) }
}
