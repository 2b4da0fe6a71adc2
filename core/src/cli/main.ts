import { CommanderError } from 'commander'
import { AppError } from '../base/app-error.js'
import { CliError, EXIT, type ExitCode } from './cli-error.js'
import { makeProgram } from './program.js'
import { endWithReader, readerHasAll } from './reader.js'

/** Runs the command line and gives its exit code; whatever went wrong has been told on stderr. */
async function run(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const program = makeProgram((code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    return tell(error)
  }
}

function tell(error: unknown): ExitCode {
  // commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof CliError) {
    const remedy = error.remedy === null ? '' : `\n${error.remedy}`
    process.stderr.write(`${error.message}${remedy}\n`)
    return error.exitCode
  }
  // A failure of the world says itself what to do; anything else is our bug and shows its stack.
  const text = error instanceof AppError ? error.message : stackOf(error)
  process.stderr.write(`${text}\n`)
  return EXIT.failed
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? error.stack : String(error)
}

endWithReader()
const exitCode = await run(process.argv.slice(2))
await readerHasAll()
// Nothing that is left open, a socket or a thread, may keep the command from ending.
process.exit(exitCode)
