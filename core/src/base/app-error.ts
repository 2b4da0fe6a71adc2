/**
 * A failure of the world (a disk, a peer, a user's file), never a bug and never an expected outcome
 * of pure code. `code` is stable snake_case and listed in core/docs/reference/errors.md.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: string,
    message: string,
    options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }
}
