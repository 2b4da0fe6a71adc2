import type { ServiceContext } from './service-context.js'

/** A test kit for handlers: a context as the node would give it, with what a test wants to change. */
export function testContext(changes: Partial<ServiceContext> = {}): ServiceContext {
  const quiet = (): void => {}
  return {
    job: '0123456789abcdef0123456789abcdef',
    task: 'fedcba9876543210fedcba9876543210',
    step: 'main',
    item: null,
    attempt: 1,
    hook: 'run',
    fence: 1,
    idempotencyKey: 'test',
    signal: new AbortController().signal,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    ...changes,
  }
}
