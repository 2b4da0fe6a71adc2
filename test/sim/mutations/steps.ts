import type { Mutation } from './list.js'

/** Bugs in what steps do beside running once: items, conditions, steps for a failure. */
export const STEP_MUTATIONS: readonly Mutation[] = [
  // ---- items ----
  {
    name: 'runs-more-items-than-a-step-allows',
    caughtBy: ['concurrency-kept'],
    file: 'protocol/ledger/fan-out.js',
    find: 'Math.min(fan.total - fan.cursor, forEachPlan(edit, position).concurrency - fan.active)',
    replace: '(fan.total - fan.cursor)',
  },
  {
    name: 'collects-items-in-the-order-of-their-ends',
    caughtBy: ['outputs-flow'],
    file: 'protocol/ledger/collected-output.js',
    find: 'outputs[place] = output;',
    replace: 'outputs.pop(), outputs.unshift(output);',
  },
  {
    name: 'passes-an-item-over',
    caughtBy: ['needs-first'],
    file: 'protocol/ledger/fan-out.js',
    find: 'cursor: fan.cursor + 1, ...taken });\n    return fan.cursor;',
    replace: 'cursor: Math.min(fan.total, fan.cursor + 2), ...taken });\n    return fan.cursor;',
  },
  {
    name: 'begins-an-item-a-second-time',
    caughtBy: ['crash'],
    file: 'protocol/ledger/fan-out.js',
    find: '...taken });\n    return fan.cursor;',
    replace: '...taken });\n    return fan.cursor === 2 ? 1 : fan.cursor;',
  },
  {
    name: 'takes-an-item-that-waits-for-done',
    caughtBy: ['crash'],
    file: 'protocol/ledger/open-items.js',
    find: "return task.phase !== 'succeeded';",
    replace: "return task.phase !== 'succeeded' && task.phase !== 'backoff';",
  },
  {
    name: 'forgets-to-undo-an-item-that-may-be-done',
    caughtBy: ['crash'],
    file: 'protocol/ledger/open-items.js',
    find: 'return undo === null && mustUndo(task);',
    replace: "return undo === null && task.phase === 'succeeded';",
  },
  // ---- conditions and failure steps ----
  {
    name: 'runs-a-step-whose-condition-is-not-met',
    caughtBy: ['conditions-kept'],
    file: 'protocol/ledger/advance.js',
    find: 'return holds.value ?',
    replace: 'return true ?',
  },
  {
    name: 'skips-a-step-whose-condition-is-met',
    caughtBy: ['conditions-kept', 'outputs-flow'],
    file: 'protocol/ledger/inputs.js',
    find: 'value: found.ok === when.is.exists',
    replace: 'value: false',
  },
  {
    name: 'runs-what-needs-a-skipped-step',
    caughtBy: ['conditions-kept'],
    file: 'protocol/ledger/advance.js',
    find: "phase === 'skipped' && onSkippedNeed === 'skip'",
    replace: 'false',
  },
  {
    name: 'skips-what-needs-a-failed-step',
    caughtBy: ['conditions-kept'],
    file: 'protocol/ledger/advance.js',
    find: 'const isLost = onFailure &&',
    replace: 'const isLost =',
  },
  {
    name: 'runs-no-failure-step',
    caughtBy: ['failure-steps'],
    file: 'protocol/ledger/advance.js',
    find: "edit.row.cause === 'cancelled' || waiting.length === 0",
    replace: 'waiting.length >= 0',
  },
  {
    name: 'runs-failure-steps-in-a-run-that-goes-on',
    caughtBy: ['failure-steps'],
    file: 'protocol/ledger/advance.js',
    find: 'onFailure !== isFailing',
    replace: '(onFailure && edit.steps[0]?.phase === "waiting") !== isFailing',
  },
  {
    name: 'undoes-before-the-failure-steps-have-ended',
    caughtBy: ['failure-steps'],
    file: 'protocol/ledger/advance.js',
    find: "onFailure !== true || (phase !== 'waiting' && phase !== 'open')",
    replace: "onFailure !== true || phase !== 'open' || edit.row.running === 0",
  },
  {
    name: 'does-not-run-failure-steps-in-a-second-run',
    caughtBy: ['failure-steps'],
    file: 'protocol/ledger/commands/retry-job.js',
    find: 'return resetFailureStep(edit, position);',
    replace: 'return;',
  },
  // ---- memoised results ----
  {
    name: 'recalls-the-result-of-another-input',
    caughtBy: ['memos-honest'],
    file: 'protocol/ledger/memo-key.js',
    find: '${canonicalJson(input)}',
    replace: '',
  },
  {
    name: 'recalls-the-result-of-another-service',
    caughtBy: ['memos-honest'],
    file: 'protocol/ledger/memo-key.js',
    find: '${service}',
    replace: '',
  },
  {
    name: 'recalls-what-has-expired',
    caughtBy: ['memos-honest'],
    file: 'protocol/ledger/ledger-node.js',
    find: 'memo === null || memo.expiresAt <= at',
    replace: 'memo === null',
    also: [
      {
        file: 'protocol/ledger/commands/keep-memo.js',
        find: 'before.expiresAt > at',
        replace: 'true',
      },
      {
        file: 'protocol/ledger/commands/keep-memo.js',
        find: 'const isExpired = sortableAt(key, prefix.length) <= at;',
        replace: 'const isExpired = false;',
      },
    ],
  },
  {
    name: 'names-the-wrong-job-for-a-recalled-result',
    caughtBy: ['memos-honest'],
    file: 'protocol/ledger/ledger-node.js',
    find: 'memoizedFrom: job',
    replace: 'memoizedFrom: key',
  },
]
