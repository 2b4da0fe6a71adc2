import type { Mutation } from './list.js'

/** Bugs in telling jobs that a node refuses their services. */
export const REFUSAL_MUTATIONS: readonly Mutation[] = [
  {
    name: 'tells-a-refusal-again',
    caughtBy: ['refusals-told'],
    file: 'protocol/ledger/refused-steps.js',
    find: 'if (before !== undefined && isSame(before, told))',
    replace: 'if (false)',
  },
  {
    name: 'tells-no-refusal-to-what-waits-already',
    caughtBy: ['refusals-told'],
    file: 'protocol/ledger/commands/note-refusals.js',
    find: 'if (news.length > 0)',
    replace: 'if (false)',
  },
  {
    name: 'tells-no-refusal-to-what-comes-later',
    caughtBy: ['refusals-told'],
    file: 'protocol/ledger/ledger.js',
    find: 'tellRefused(context);',
    replace: '',
  },
  {
    name: 'tells-of-a-refusal-that-is-over',
    caughtBy: ['refusals-told'],
    file: 'protocol/ledger/commands/note-refusals.js',
    find: 'context.rows.delete(keys.refusal(service));',
    replace: '',
  },
  {
    name: 'tells-only-the-first-reason',
    caughtBy: ['refusals-told'],
    file: 'protocol/ledger/commands/note-refusals.js',
    find: 'const mark = context.hash(`refusal\\0${node}\\0${service}\\0${reason}\\0${text}`);',
    replace: 'const mark = context.hash(`refusal${node}${service}`);',
  },
]
