import type { NoteRefusalsCommand } from '../command.js'
import type { EntryContext } from '../entry-context.js'
import type { Applied } from '../outcome.js'
import { beginTelling, endTelling } from '../refused-steps.js'
import { keys, type RefusalRow } from '../rows-layout.js'

/**
 * What a node refuses, as far as tasks of this arc have waited for it. Steps that wait are told of what is
 * new, a bounded number in this entry and the rest with the `fire` commands that follow.
 */
export function noteRefusals(context: EntryContext, command: NoteRefusalsCommand): Applied {
  const { node, refused, lifted } = command
  for (const service of lifted) context.rows.delete(keys.refusal(service))
  endTelling(context, lifted)
  const news = refused.filter(({ service, reason, text }) => {
    const mark = context.hash(`refusal\0${node}\0${service}\0${reason}\0${text}`)
    if (context.rows.get<RefusalRow>(keys.refusal(service))?.mark === mark) return false
    const row: RefusalRow = { node, reason, text, mark }
    context.rows.put(keys.refusal(service), row)
    return true
  })
  if (news.length > 0)
    beginTelling(
      context,
      news.map(({ service }) => service),
    )
  return { ok: true, result: 'done' }
}
