import type { EntryBody } from '@gyre/core/internal/protocol/ledger/command.js'
import { formatAttempt, partsOf } from './attempt-parts.js'

/** The task that this entry lets succeed with a result of another job's; null: none. */
export function memoisedTask(entry: string): string | null {
  const { c: command }: EntryBody = JSON.parse(entry)
  if (command.kind !== 'finish-attempt' || command.outcome.kind !== 'succeeded') return null
  const { memoizedFrom } = command.outcome
  return memoizedFrom === undefined ? null : partsOf(formatAttempt(command.attempt)).task
}
