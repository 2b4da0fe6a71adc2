import type { RecordCondition } from './command.js'
import type { Applied } from './outcome.js'
import type { RecordRow } from './rows-layout.js'

/**
 * Whether a write or deletion may go ahead, given what the writer expects to find: optimistic
 * concurrency. The loser learns the current version and can try again.
 */
export function conditionRefusal(
  key: string,
  row: RecordRow | undefined,
  condition: RecordCondition | undefined,
): Extract<Applied, { readonly ok: false }> | null {
  if (condition === undefined || holds(row, condition)) return null
  const currentVersion = row?.version ?? null
  const found = row === undefined ? 'there is no such record' : `it has version ${row.version}`
  return {
    ok: false,
    code: 'version_conflict',
    message: `record ${key} was not changed: expected ${wanted(condition)}, but ${found}; read it and try again`,
    details: { currentVersion },
  }
}

function holds(row: RecordRow | undefined, condition: RecordCondition): boolean {
  switch (condition.kind) {
    case 'version':
      return row?.version === condition.version
    case 'exists':
      return row !== undefined
    case 'absent':
      return row === undefined
  }
}

/** The condition of a tag that names no version. */
const NO_VERSION = 'a version that was never given out'

function wanted(condition: RecordCondition): string {
  switch (condition.kind) {
    case 'version':
      return condition.version < 0 ? NO_VERSION : `version ${condition.version}`
    case 'exists':
      return 'an existing record'
    case 'absent':
      return 'no record'
  }
}
