import { sharedNow } from '../../../pacing.js'

/** Services that do nothing, so that what is measured is the system. */

/** Tells when it was begun. */
export const noop = {
  name: 'bench.noop',
  version: '1.0.0',
  run: () => ({ startedAt: sharedNow() }),
}

export const step = {
  name: 'bench.step',
  version: '1.0.0',
  run: () => ({ ok: true }),
  compensate: () => ({ undone: true }),
}

export const last = {
  name: 'bench.last',
  version: '1.0.0',
  run: ({ fails }: { readonly fails: boolean }) => {
    if (fails) throw new Error('declined')
    return { ok: true }
  },
}

/** Waits until nobody holds the gate. */
export const gated = {
  name: 'bench.gated',
  version: '1.0.0',
  requires: { units: { gate: 1 } },
  run: () => ({ ok: true }),
}

/** Holds the gate until it is told to stop. */
export const gate = {
  name: 'bench.gate',
  version: '1.0.0',
  requires: { units: { gate: 256 } },
  timeout: '24h',
  run: (_: unknown, { signal }: { readonly signal: AbortSignal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    ),
}
