/** What ends one day and has cleaning up done then: a test, or all tests of a file. */
export interface Owner {
  after(cleanup: () => unknown): void
}

const stacks = new WeakMap<Owner, (() => unknown)[]>()

/**
 * Has something cleaned up at the owner's end, however it ends: the newest first, so that a folder
 * goes after the node that was started on it, and each of them, also when one before it failed.
 *
 * `after` of node:test alone gives neither: it keeps the order of registration, and stops at the
 * first that fails.
 */
export function atEnd(owner: Owner, cleanup: () => unknown): void {
  const stack = stacks.get(owner)
  if (stack !== undefined) {
    stack.push(cleanup)
    return
  }
  const begun = [cleanup]
  stacks.set(owner, begun)
  owner.after(() => runNewestFirst(begun))
}

async function runNewestFirst(stack: (() => unknown)[]): Promise<void> {
  const failures: unknown[] = []
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    try {
      await next()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `cleaning up: ${String(failures[0])}`)
}
