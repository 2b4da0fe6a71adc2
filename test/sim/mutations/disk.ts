import type { Mutation } from './list.js'

/**
 * Bugs in noticing a disk that stands still, in what becomes of an arc whose rows it has let rot, and in
 * going on without segments of the log that have rotted while the node was down.
 */
export const DISK_MUTATIONS: readonly Mutation[] = [
  {
    name: 'waits-for-a-silent-disk-without-a-word',
    caughtBy: ['stalls-told'],
    file: 'protocol/node/stall-watch.js',
    find: 'this.#isStall = true;',
    replace: '',
  },
  {
    name: 'takes-new-work-while-the-disk-stands-still',
    caughtBy: ['stalls-told'],
    file: 'protocol/node/gate.js',
    find: 'const stall = request > 0 ? this.#options.stalls.reason : null;',
    replace: 'const stall = null;',
  },
  {
    name: 'takes-an-idle-disk-for-a-silent-one',
    caughtBy: ['stalls-told'],
    file: 'protocol/node/stall-watch.js',
    find: 'if (!this.#isAwaited())\n            return this.sign(now);',
    replace: '',
  },
  {
    name: 'never-forgives-a-silent-disk',
    caughtBy: ['stalls-told'],
    file: 'protocol/node/engine.js',
    find: 'this.#stalls.noteLogSign();',
    replace: '',
    also: [
      {
        file: 'protocol/node/stall-watch.js',
        find: 'if (!this.#isAwaited())\n            return this.sign(now);',
        replace: "if (!this.#isAwaited())\n            return 'none';",
      },
    ],
  },
  {
    name: 'expects-no-sign-of-the-ledger',
    caughtBy: ['stalls-told'],
    file: 'protocol/node/engine.js',
    find: 'hasUnapplied: () => !this.#delivery.isIdle,',
    replace: 'hasUnapplied: () => false,',
  },
  {
    name: 'forgets-over-a-start-that-an-arc-is-damaged',
    caughtBy: ['gave-up-for-a-reason'],
    file: 'protocol/state/overlay.js',
    find: 'this.#mark();',
    replace: '',
    also: [
      {
        file: 'protocol/state/overlay.js',
        find: 'const all = this.#marks();',
        replace: 'this.#unmarked.clear(); const all = [];',
      },
    ],
  },
  {
    name: 'gives-up-a-segment-that-the-state-does-not-cover',
    caughtBy: ['gave-up-for-a-reason'],
    file: 'protocol/node/log-cover.js',
    find: 'else if (index < upTo)',
    replace: 'else if (false)',
  },
  {
    name: 'gives-up-a-segment-and-not-its-entries',
    caughtBy: ['gave-up-for-a-reason'],
    file: 'adapters/log-store/log-store.js',
    find: "const rows = [...firsts].map(([arc, first]) => rowDraft({ kind: 'first-index', arc, first }));",
    replace: 'const rows = [];',
  },
  {
    name: 'refuses-a-log-for-what-the-state-covers',
    caughtBy: ['gave-up-for-a-reason'],
    file: 'adapters/log-store/scan-behind.js',
    find: 'const next = Math.max(...hurt) + 1;',
    replace: 'const next = Math.max(...hurt);',
  },
]
