import { inspect } from 'node:util'
import { CommanderError } from 'commander'
import { AppError } from '../base/app-error.js'
import { CliError, EXIT, type ExitCode, inOneLine } from './cli-error.js'
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
  showForDebugging(error)
  // commander has printed its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof CliError) {
    const remedy = error.remedy === null ? '' : `\n${error.remedy}`
    process.stderr.write(`${error.message}${remedy}\n`)
    return error.exitCode
  }
  // A failure of the world says itself what to do; anything else nobody has foreseen.
  const text =
    error instanceof AppError
      ? error.message
      : `gyre failed unexpectedly (${inOneLine(error)}).\nRun it again with GYRE_DEBUG=1 to see where, and report that.`
  process.stderr.write(`${text}\n`)
  return EXIT.failed
}

/** Where it failed, for who asks: stacks name the folders of this machine. */
function showForDebugging(error: unknown): void {
  const isWanted = (process.env['GYRE_DEBUG'] ?? '') !== ''
  if (isWanted && !(error instanceof CommanderError)) process.stderr.write(`${inspect(error)}\n`)
}

endWithReader()
const exitCode = await run(process.argv.slice(2))
await readerHasAll()
// Nothing that is left open, a socket or a thread, may keep the command from ending.
process.exit(exitCode)
