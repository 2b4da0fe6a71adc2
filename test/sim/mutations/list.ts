/**
 * Bugs that the simulator must find (protocol.md §12.4): each is planted in the compiled code of a
 * child process by a module load hook; the product's own files stay as they are.
 */
export interface Mutation {
  readonly name: string
  /** Below core/dist. */
  readonly file: string
  /** Exact text that must be there once, else the entry is stale and has to be brought up to date. */
  readonly find: string
  readonly replace: string
}

export const MUTATIONS: readonly Mutation[] = [
  // ---- durability ----
  {
    name: 'commits-before-the-sync-returns',
    file: 'protocol/node/engine.js',
    find: 'this.#batchInFlight = true;',
    replace:
      'this.#batchInFlight = true; for (const [arc, mark] of batch.marks) this.#stateOf(arc).group.persisted(mark);',
  },
  {
    name: 'delivers-what-is-not-committed',
    file: 'protocol/node/delivery.js',
    find: 'while (state.delivered < group.commitIndex &&',
    replace: 'while (state.delivered < group.lastIndex &&',
  },
  {
    name: 'goes-on-after-a-failed-sync',
    file: 'adapters/log-store/log-store.js',
    find: 'if (error !== null)\n                this.#fail(error);\n            else\n                this.#finish(written);',
    replace: 'this.#finish(written);',
  },
  {
    name: 'trusts-a-batch-found-in-memory',
    file: 'adapters/log-store/open-log-store.js',
    find: 'if (scan.unsettled === null)',
    replace: 'if (true)',
  },
  {
    name: 'says-durable-without-a-checkpoint',
    file: 'protocol/state/overlay.js',
    find: 'this.#table.checkpoint();',
    replace: '',
  },
  {
    name: 'flushes-rows-without-their-applied-index',
    file: 'protocol/state/arc-rows.js',
    find: 'JSON.stringify({ index: this.#applied })',
    replace: 'JSON.stringify({ index: Math.max(1, this.#committed) })',
  },
  {
    name: 'forgets-deletions-at-a-flush',
    file: 'protocol/state/arc-rows.js',
    find: 'if (this.#mayHide(key, dirty))',
    replace: 'if (false)',
  },
  {
    name: 'keeps-its-boot-epoch',
    file: 'adapters/superblock.js',
    find: 'bootEpoch: bootEpoch + 1',
    replace: 'bootEpoch: Math.max(1, bootEpoch)',
  },
  // ---- engine ----
  {
    name: 'replays-from-one-entry-late',
    file: 'protocol/node/load-arcs.js',
    find: 'new ArcState(arc, group, state.index, time)',
    replace: 'new ArcState(arc, group, state.index + (state.index > 3 ? 1 : 0), time)',
  },
  {
    name: 'takes-arc-time-from-the-wall-clock',
    file: 'protocol/node/arc-clock.js',
    find: 'Math.max(-bound, Math.min(bound, wall - target))',
    replace: '(wall - target)',
  },
  {
    name: 'forgets-arc-time-over-a-restart',
    file: 'protocol/node/arc-clock.js',
    find: 'this.#time = Math.max(last, wall)',
    replace: 'this.#time = wall',
  },
  {
    name: 'keeps-the-slot-of-an-ended-attempt',
    file: 'protocol/node/running-attempts.js',
    find: 'slots.giveBack(dispatch.service, 1);',
    replace: '',
  },
  {
    name: 'ignores-the-total-of-slots',
    file: 'protocol/node/slots.js',
    find: 'Math.min(ofService, this.#total - this.#usedTotal)',
    replace: 'ofService',
  },
  {
    name: 'ignores-the-slots-of-a-service',
    file: 'protocol/node/slots.js',
    find: 'Math.min(ofService, this.#total - this.#usedTotal)',
    replace: 'this.#total - this.#usedTotal',
  },
  {
    name: 'gives-back-no-unused-grant',
    file: 'protocol/node/grants.js',
    find: 'this.#slots.giveBack(service, count);',
    replace: '',
  },
  {
    name: 'does-not-notice-attempts-of-its-last-life',
    file: 'protocol/node/engine.js',
    find: 'worker.boot < boot',
    replace: 'worker.boot < boot - 1',
  },
  // ---- ledger: attempts ----
  {
    name: 'tells-no-timer-after-a-fire',
    file: 'protocol/ledger/ledger-node.js',
    find: "isTermStart || result.timersChanged || body.c.kind === 'fire'",
    replace: 'isTermStart',
  },
  {
    name: 'tells-no-demand-to-a-new-leader',
    file: 'protocol/ledger/ledger-node.js',
    find: 'isTermStart || result.readyChanged',
    replace: 'result.readyChanged',
  },
  {
    name: 'dispatches-attempts-of-an-earlier-life',
    file: 'protocol/ledger/ledger-node.js',
    find: 'effect.node !== self.node || effect.boot !== self.boot',
    replace: 'effect.node !== self.node',
  },
  {
    name: 'accepts-a-success-after-the-timeout',
    file: 'protocol/ledger/task.js',
    find: "isLate ? 'timed_out' : reported.kind",
    replace: 'reported.kind',
  },
  {
    name: 'tries-once-more-than-allowed',
    file: 'protocol/ledger/task.js',
    find: 'end.error?.retryable === true && task.tries + 1 < attempts',
    replace: 'end.error?.retryable === true && task.tries < attempts',
  },
  {
    name: 'retries-what-is-not-retryable',
    file: 'protocol/ledger/task.js',
    find: 'end.error?.retryable === true && task.tries',
    replace: 'task.tries',
  },
  {
    name: 'starts-an-only-attempt-again',
    file: 'protocol/ledger/task.js',
    find: 'if (attempts === 1)',
    replace: 'if (false)',
  },
  {
    name: 'repeats-a-fence',
    file: 'protocol/ledger/commands/start-ready.js',
    find: 'Math.max(edit.row.fence + 1, context.version)',
    replace: 'context.version',
  },
  {
    name: 'retries-a-timed-out-attempt-while-it-may-run',
    file: 'protocol/ledger/task.js',
    find: "phase: 'stopping', stopping: reason",
    replace: "phase: reason === 'timed_out' ? 'ready' : 'stopping', stopping: reason",
  },
  // ---- ledger: compensation ----
  {
    name: 'compensates-while-an-attempt-runs',
    file: 'protocol/ledger/advance.js',
    find: "edit.row.phase === 'stopping' && edit.row.running === 0",
    replace: "edit.row.phase === 'stopping'",
  },
  {
    name: 'does-not-undo-an-unknown-step',
    file: 'protocol/ledger/task.js',
    find: "return end.outcome !== 'failed' || task.stopping === 'cancelled';",
    replace: 'return false;',
  },
  {
    name: 'undoes-in-the-order-of-the-plan',
    file: 'protocol/ledger/compensation.js',
    find: 'order = endedOrder;',
    replace: '',
  },
  {
    name: 'undoes-all-steps-at-once',
    file: 'protocol/ledger/compensation.js',
    find: 'if (open >= 0 && !closeUndo(edit, open))',
    replace: 'if (open >= 0 && !closeUndo(edit, open) && nextToUndo(edit.steps) === undefined)',
  },
  // ---- ledger: idempotency, records, determinism ----
  {
    name: 'makes-a-second-job-for-a-key',
    file: 'protocol/ledger/commands/submit-job.js',
    find: 'row.fingerprint === stamp.fingerprint ? row.job : keyReused()',
    replace: 'row.fingerprint === stamp.fingerprint ? undefined : keyReused()',
  },
  {
    name: 'ignores-the-fingerprint-of-a-key',
    file: 'protocol/ledger/commands/submit-job.js',
    find: 'row.fingerprint === stamp.fingerprint ? row.job : keyReused()',
    replace: 'row.job',
  },
  {
    name: 'stores-what-came-too-late',
    file: 'protocol/ledger/commands/submit-job.js',
    find: 'notAfter !== undefined && context.at > notAfter',
    replace: 'false',
  },
  {
    name: 'writes-a-record-on-an-old-version',
    file: 'protocol/ledger/record.js',
    find: 'return row?.version === condition.version;',
    replace: 'return row !== undefined;',
  },
  {
    name: 'counts-versions-per-record',
    file: 'protocol/ledger/commands/put-record.js',
    find: 'version: context.version',
    replace: 'version: (before?.version ?? 0) + 1',
  },
  {
    name: 'reads-the-clock-in-apply',
    file: 'protocol/ledger/commands/put-record.js',
    find: 'updatedAt: context.at',
    replace: 'updatedAt: Number(process.hrtime.bigint())',
  },
  {
    name: 'rolls-its-own-dice-in-apply',
    file: 'protocol/ledger/backoff.js',
    find: 'half + prng().below(Math.min(delay - half + 1, 0x100000000))',
    replace: 'half + Math.floor(Math.random() * (delay - half + 1))',
  },
]
