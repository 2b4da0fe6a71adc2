import { EXIT } from './cli-error.js'

/** As of a tool that SIGPIPE ended: 128 and its number. Never the code of a success that nobody saw. */
const READER_GONE = 141

/** What a command prints may be cut off (`gyre services | head -1`): then it ends without a word. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', end)
}

/** A node does not end because nobody reads on what it says, nor is kept from ending by that. */
export function outliveReader(): void {
  isAwaited = false
  for (const stream of [process.stdout, process.stderr]) {
    stream.off('error', end)
    stream.on('error', () => {})
  }
}

let isAwaited = true

/** Settles when all that was printed has been read, however slowly: ending before loses the rest. */
export async function readerHasAll(): Promise<void> {
  if (!isAwaited) return
  const streams = [process.stdout, process.stderr]
  await Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))),
  )
}

function end(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(READER_GONE)
  const why = error.code === undefined ? error.message : `${error.code}: ${error.message}`
  const text = `What was to be printed cannot be written (${why}). Print to somewhere else.`
  // Where stderr is what cannot be written, nobody is left to be told.
  process.stderr.write(`${text}\n`, () => process.exit(EXIT.failed))
}
