import type { Json } from '@gyre/jobs'
import { canonicalJson } from '../../base/canonical-json.js'
import type { HashText } from './entry-context.js'

/**
 * Under which the result of a memoised task is kept: its service, that one's version, and its input in
 * canonical form, so that the order of members makes no difference. Nothing of the job is in it.
 */
export function memoKey(hash: HashText, service: string, version: string, input: Json): string {
  return hash(`memo\0${service}\0${version}\0${canonicalJson(input)}`)
}
