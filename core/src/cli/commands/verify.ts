import { CliError, EXIT, type ExitCode } from '../cli-error.js'
import type { CommandContext } from '../command-context.js'
import { holdsNoNode } from '../data-folder.js'
import { type Finding, verifyFolder } from '../verify-folder.js'

/** Checks the files of a node that does not run. @returns 1 when something is damaged */
export async function verify({ output }: CommandContext, folder: string): Promise<ExitCode> {
  if (await holdsNoNode(folder)) {
    throw new CliError(`The folder ${folder} holds no node.`, {
      remedy: 'Name the data folder of a node, as given to `gyre start --data`.',
    })
  }
  output.note(`checking ${folder}`)
  const verdict = verifyFolder(folder)
  await output.result(verdict, () => {
    const { node, log, state, faults, notes } = verdict
    output.line(`node ${node ?? 'unknown'}`)
    output.line(`log: ${log.segments} segments, ${log.arcs} arcs, last batch ${log.lastBatch}`)
    output.line(`state: ${state.arcs} arcs`)
    for (const note of notes) output.line(told('note', note))
    for (const fault of faults) output.line(told('DAMAGED', fault))
    if (!verdict.ok) return
    const isSpared = notes.some(({ code }) => code === 'log_segment_damaged')
    output.line(
      isSpared ? SPARED : 'All checksums are right, and the log goes on where the state ends.',
    )
  })
  return verdict.ok ? EXIT.ok : EXIT.failed
}

const SPARED =
  'Nothing is lost: what is damaged in the log the state holds, and the next start goes on.'

function told(kind: string, { part, code, message }: Finding): string {
  return `${kind} ${part} (${code}): ${message}`
}
