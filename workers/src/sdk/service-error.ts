/** Plain data about a failure, shown to whoever reads the job; at most 8 KiB of JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>

export interface ServiceErrorOptions {
  /** True (the default): another attempt may go better. False: give up at once. */
  readonly retryable?: boolean
  readonly details?: ErrorDetails
  readonly cause?: unknown
}

/**
 * A failure that a handler reports on purpose. Code and message are shown to the job's owner as they
 * are; of any other thrown value only a cleaned message is.
 *
 * The node recognises it by its shape (`name`, `code`, `retryable`), so a plugin that carries its own
 * copy of this package is understood as well.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: string
  readonly retryable: boolean
  readonly details?: ErrorDetails

  /** @param code stable snake_case, 1 to 64 characters of `[a-z0-9_]`, opening with a letter */
  constructor(code: string, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? true
    if (options.details !== undefined) this.details = options.details
  }
}

/** The world is not ready: fail this attempt, let the retry policy decide when to try again. */
export function retryLater(code: string, message: string, details?: ErrorDetails): ServiceError {
  return new ServiceError(code, message, details === undefined ? {} : { details })
}

/** No attempt will ever do better: fail the task now, whatever its retry policy allows. */
export function giveUp(code: string, message: string, details?: ErrorDetails): ServiceError {
  return new ServiceError(code, message, {
    retryable: false,
    ...(details === undefined ? {} : { details }),
  })
}
