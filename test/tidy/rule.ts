import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { REPOSITORY, type Tree, treeOf } from './tree.js'

/** A rule of the house, with a proof that breaking it is noticed. */
export interface Rule {
  readonly claim: string
  /** What to do where it is broken. */
  readonly remedy: string
  /** Each place that breaks the rule. */
  readonly findings: (tree: Tree, owner: Owner) => readonly string[]
  /** Made-up files, text by path: some break the rule, some come close to it and do not. */
  readonly sample: Readonly<Record<string, string>>
  /** What must be found in the sample. */
  readonly found: readonly [string, ...string[]]
}

/** One test that the repository keeps the rule, and one that the rule sees where it is broken. */
export function testRule({ claim, remedy, findings, sample, found }: Rule): void {
  test(claim, (t) => {
    const broken = findings(REPOSITORY, t)
    assert.equal(broken.length, 0, `Remedy: ${remedy}\n${broken.join('\n')}`)
  })
  test(`noticed where it is broken: ${claim}`, (t) => {
    assert.deepEqual(findings(treeOf(sample), t), found)
  })
}
