import { styleText } from 'node:util'

/**
 * Where a command writes. Data goes to stdout: with `--json` one JSON document and nothing else,
 * otherwise text for people. Everything said about the work goes to stderr.
 */
export class Output {
  readonly json: boolean

  constructor(json: boolean) {
    this.json = json
  }

  /** The command's result: the document itself with `--json`, otherwise what `asText` prints. */
  async result(document: unknown, asText: () => void | Promise<void>): Promise<void> {
    if (this.json) process.stdout.write(`${JSON.stringify(document)}\n`)
    else await asText()
  }

  /** One of many documents that come one after another: a line of JSON with `--json`. */
  item(document: unknown, asText: () => string): void {
    this.line(this.json ? JSON.stringify(document) : asText())
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** A value of the user, readable: never abbreviated. */
  value(value: unknown): void {
    this.line(JSON.stringify(value, null, 2))
  }

  async table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    const { default: Table } = await import('cli-table3')
    const table = new Table({
      head: head.map((title) => emphasise(title)),
      chars: NO_FRAME,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    })
    for (const row of rows) table.push([...row])
    for (const line of table.toString().split('\n')) this.line(line.trimEnd())
  }

  /** Something about the work: stderr, so that it never mixes with data. */
  note(text: string): void {
    process.stderr.write(`${text}\n`)
  }
}

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}

type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'gray'

const STATUS_COLOUR: Readonly<Record<string, Colour>> = {
  succeeded: 'green',
  compensated: 'yellow',
  cancelled: 'yellow',
  failed: 'red',
  compensation_failed: 'red',
  running: 'cyan',
  compensating: 'cyan',
}

/** A status word in its colour; unchanged where colour is not wanted. */
export function statusText(status: string): string {
  const colour = STATUS_COLOUR[status]
  return colour === undefined || !wantsColour() ? status : styleText(colour, status)
}

function emphasise(text: string): string {
  return wantsColour() ? styleText('bold', text) : text
}

/** NO_COLOR (any value but empty) wins; else colour only where a person reads along. */
function wantsColour(): boolean {
  const refused = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''
  return !refused && process.env['TERM'] !== 'dumb' && process.stdout.isTTY === true
}
