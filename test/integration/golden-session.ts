import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { GYRE } from './node-process.js'

const GOLDEN = join(import.meta.dirname, '..', '..', 'golden', 'cli')
/** No command here waits for long. */
const COMMAND_TIMEOUT_MS = 60_000

/** What is different in every run, and what stands for it: as wide, so that columns stay in place. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '2026-01-01T00:00:00.000Z'],
  [/127\.0\.0\.1:\d{5}/g, '127.0.0.1:00000'],
  [/"(version|fence|appliedIndex|term|arc|lag|lastBatch)":( ?)\d+/g, '"$1":$20'],
  [/\b(fence=|arc |batch )\d+\b/g, '$10'],
  // Versions of records: as many digits for years.
  [/\b\d{13}\b/g, '1000000000000'],
  // Of the machine.
  [/"node":( ?)"\d+\.\d+\.\d+"/g, '"node":$1"20.20.0"'],
  [/"(cpu|memoryMb)":( ?)[1-9][\d.]*/g, '"$1":$21'],
  [/"nextCursor":"[^"]+"/g, '"nextCursor":"CURSOR"'],
  // Versions of Node.js word it differently.
  [/ is not JSON: [^\n]+?\.$/gm, ' is not JSON: REASON.'],
]
/** How far a followed job is depends on who looks when. */
const PROGRESS = /^(queued|running|cancelling|compensating|waiting) \d+\/\d+$/

/**
 * Runs commands of `gyre` one after another and writes down what each prints, so that a change of
 * wording is seen in review: lines of stderr begin with `! `, and an exit code other than 0 ends it.
 */
export class GoldenSession {
  readonly #environment: Readonly<Record<string, string>>
  readonly #folders: readonly string[]
  readonly #ids = new Map<string, string>()
  readonly #lines: string[] = []

  /**
   * @param folders  stand as FOLDER in what is written down; the commands run in the first one
   */
  constructor(folders: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#folders = folders
    this.#environment = environment
  }

  /** @returns what it printed on stdout, as it is */
  async run(...args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [GYRE, ...args], {
      cwd: this.#folders[0],
      env: { PATH: process.env['PATH'], ...this.#environment },
      timeout: COMMAND_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    this.note(`$ gyre ${args.map(quoted).join(' ')}`)
    this.#lines.push(...this.#plain(stdout))
    const told = this.#plain(stderr).filter((line) => !PROGRESS.test(line))
    this.#lines.push(...told.map((line) => `! ${line}`.trimEnd()))
    if (code !== 0) this.#lines.push(`[exit ${code}]`)
    this.#lines.push('')
    return stdout
  }

  note(line: string): void {
    this.#lines.push(this.#masked(line))
  }

  /** @throws AssertionError when what was written down is not what stands in the golden file */
  matches(name: string): void {
    const path = join(GOLDEN, `${name}.txt`)
    const told = `${this.#lines.join('\n').trimEnd()}\n`
    if (process.env['UPDATE_GOLDEN'] === '1') return writeFileSync(path, told)
    const hint = `what gyre prints has changed: look at it, then UPDATE_GOLDEN=1 rewrites ${name}.txt`
    assert.equal(told, readFileSync(path, 'utf8'), hint)
  }

  #plain(printed: string): string[] {
    return printed === '' ? [] : this.#masked(printed.replace(/\n$/, '')).split('\n')
  }

  #masked(raw: string): string {
    let masked = raw
    for (const folder of this.#folders) masked = masked.replaceAll(folder, 'FOLDER')
    for (const [pattern, stand] of CHANGING) masked = masked.replace(pattern, stand)
    return masked.replace(/\b[0-9a-f]{32}\b/g, (id) => {
      const known = this.#ids.get(id) ?? `id-${this.#ids.size + 1}`.padEnd(32, '.')
      this.#ids.set(id, known)
      return known
    })
  }
}

function quoted(argument: string): string {
  return /^[\w./:=@,-]+$/.test(argument) ? argument : `'${argument}'`
}
