/** Thrown when the program itself is wrong. Nobody catches it to go on: the node stops. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/**
 * States what must hold here if Gyre has no bug. Always on, in production too.
 *
 * @throws AssertionError never a peer's or a user's fault: their mistakes are handled, not asserted.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) broken(message)
}

/**
 * What `assert` does when it fails. To be called behind an `if` where entries come by thousands and the
 * message is put together: `assert` is given its message each time, and making it costs more than looking.
 */
export function broken(message: string): never {
  throw new AssertionError(message)
}

/** Marks the branch that an exhaustive `switch` cannot reach. */
export function unreachable(value: never, what: string): never {
  throw new AssertionError(`unreachable ${what}: ${JSON.stringify(value)}`)
}
