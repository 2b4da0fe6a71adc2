import type { Mutation } from './list.js'

/** Bugs in who is let in first: the ready queue of an arc, and which arc a slot goes to. */
export const ORDER_MUTATIONS: readonly Mutation[] = [
  {
    name: 'starts-ready-tasks-by-age-alone',
    caughtBy: ['best-first'],
    file: 'protocol/ledger/rows-layout.js',
    find: '`r/${service}/${PRIORITY_MAX - priority}/`',
    replace: '`r/${service}/0/`',
  },
  {
    name: 'starts-the-worst-priority-first',
    caughtBy: ['best-first'],
    file: 'protocol/ledger/rows-layout.js',
    find: '`r/${service}/${PRIORITY_MAX - priority}/`',
    replace: '`r/${service}/${priority}/`',
  },
  {
    name: 'starts-the-youngest-of-a-priority-first',
    caughtBy: ['best-first'],
    file: 'protocol/ledger/rows-layout.js',
    find: '${keys.readyAt(service, priority)}${sortable(readyAt)}/',
    replace: '${keys.readyAt(service, priority)}${sortable(2 ** 51 - readyAt)}/',
  },
  {
    name: 'lets-a-late-better-priority-of-another-arc-wait',
    caughtBy: ['best-first'],
    file: 'protocol/node/demand.js',
    find: 'if (a.priority !== b.priority)',
    replace: 'if (false)',
  },
  {
    name: 'gives-slots-to-arcs-by-age-alone',
    caughtBy: ['best-first'],
    file: 'protocol/node/grants.js',
    find: 'if (first !== undefined && queue.priority < first.queue.priority)',
    replace: 'if (false)',
  },
]
