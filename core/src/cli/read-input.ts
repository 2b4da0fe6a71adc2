import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { CliError, usageError } from './cli-error.js'

/**
 * JSON as the command line gives it: the text itself, `@FILE`, or `-` for standard input.
 *
 * @param what  what it is, for the message when it is not JSON
 * @returns the text, proven to be JSON but not rewritten: numbers keep their digits
 */
export async function readJsonText(given: string, what: string): Promise<string> {
  const json = await textOf(given)
  try {
    JSON.parse(json)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw usageError(
      `${what} is not JSON: ${reason}.`,
      'Write a string with its quotes (\'"text"\'), a file as @FILE, or - for standard input.',
    )
  }
  return json
}

async function textOf(given: string): Promise<string> {
  if (given === '-') return text(process.stdin)
  return given.startsWith('@') ? readTextFile(given.slice(1)) : given
}

export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new CliError(`The file ${path} cannot be read.`, {
      remedy: 'Check its name and its permissions.',
      cause,
    })
  }
}
