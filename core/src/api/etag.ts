import type { RecordCondition } from '../protocol/ledger/command.js'
import { Problem } from './problem.js'

/** Records' versions as strong entity tags: `"42"`. */

const STRONG_TAG = /^"([\x21\x23-\x7e\x80-\xff]*)"$/
const VERSION = /^(?:0|[1-9]\d{0,15})$/
/** Well-formed tags that were never given out match nothing. */
const NO_VERSION = -1

export function etagOf(version: number): string {
  return `"${version}"`
}

interface ConditionHeaders {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/** @throws Problem `invalid_condition` for weak tags, both headers, or what is no single tag */
export function conditionOf(headers: ConditionHeaders): RecordCondition | undefined {
  const ifMatch = headers['if-match']
  const ifNoneMatch = headers['if-none-match']
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw invalid('If-Match', 'give If-Match or If-None-Match, not both')
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return { kind: 'absent' }
    throw invalid(
      'If-None-Match',
      'If-None-Match takes only * here: write it if there is no record yet',
    )
  }
  return ifMatch === undefined ? undefined : matchCondition(ifMatch.trim())
}

function matchCondition(tag: string): RecordCondition {
  if (tag === '*') return { kind: 'exists' }
  if (tag.startsWith('W/'))
    throw invalid('If-Match', 'weak entity tags cannot guard a write; send "VERSION"')
  const [, text] = STRONG_TAG.exec(tag) ?? []
  if (text === undefined)
    throw invalid('If-Match', 'If-Match takes one tag, "VERSION" in quotes, or *')
  const version = VERSION.test(text) ? Number(text) : NO_VERSION
  return { kind: 'version', version: Number.isSafeInteger(version) ? version : NO_VERSION }
}

function invalid(header: string, detail: string): Problem {
  return new Problem('invalid_condition', detail, { at: header })
}
