import type { CommandContext } from '../command-context.js'
import { VERSION } from '../version.js'

/** Prints the version of the program, not that of a node it might talk to. */
export async function version({ output }: CommandContext): Promise<void> {
  const document = { version: VERSION, node: process.versions.node }
  await output.result(document, () => output.line(`gyre ${VERSION}`))
}
