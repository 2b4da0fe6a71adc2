/** Exit codes of `gyre`, as cli.md fixes them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  jobNotSucceeded: 3,
  noNode: 4,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A failure to tell the user: `message` is one sentence, `remedy` what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  readonly remedy: string | null

  constructor(
    message: string,
    options: { exitCode?: ExitCode; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = options.exitCode ?? EXIT.failed
    this.remedy = options.remedy ?? null
  }
}

/** An unexpected error's code, or else the first line of what it says: no stack, no paths of it. */
export function inOneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error).split('\n', 1)[0] ?? ''
  const said = error.message.split('\n', 1)[0] ?? ''
  return 'code' in error && typeof error.code === 'string' ? `${error.code}: ${said}` : said
}

export function usageError(message: string, remedy?: string): CliError {
  return new CliError(message, {
    exitCode: EXIT.usage,
    remedy: remedy ?? 'See `gyre --help` and `gyre COMMAND --help`.',
  })
}
