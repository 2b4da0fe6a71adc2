import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** This file runs from test/dist/bench/gyre. */
const BIN = join(import.meta.dirname, '..', '..', '..', '..', 'core', 'bin', 'gyre.js')
const PLUGINS = join(import.meta.dirname, 'plugins')

/** A node in a process of its own, with the services of the benchmarks. */
export class BenchNode {
  readonly pid: number
  readonly url: string
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, url: string) {
    this.#process = process
    this.pid = process.pid ?? 0
    this.url = url
  }

  /** @param flags  of `gyre start`, `--init` among them for a folder without a node */
  static async start(folder: string, flags: readonly string[]): Promise<BenchNode> {
    const args = ['start', '--json', '--data', folder, '--api', '127.0.0.1:0']
    const plugins = ['--workers', join(PLUGINS, 'services'), '--jobs', join(PLUGINS, 'jobs')]
    const own = [...args, ...plugins, '--capacity', 'gate=256', ...flags]
    const node = spawn(process.execPath, [BIN, ...own], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: node.stdout }), 'line')
    const ready: { readonly api: string } = JSON.parse(String(line))
    return new BenchNode(node, ready.api)
  }

  /** @returns the figure; NaN where the node has none of that name */
  async metric(name: string): Promise<number> {
    const [figure = Number.NaN] = await this.metrics([name])
    return figure
  }

  /** As `metric`, of one scrape. */
  async metrics(names: readonly string[]): Promise<number[]> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    return names.map((name) => {
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
    })
  }

  /** Ends in good order: everything is written out. */
  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await ended
  }
}
