import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Grown, Shape } from './growth/shape.js'
import type { Run, WholeRun, WorkloadName } from './workloads.js'

/** What a child of a benchmark is asked over its channel; each question is answered in order. */
export type Question =
  | { readonly ask: 'run'; readonly workload: WholeRun; readonly size: number }
  /** Submit jobs that wait, then let them run. Both answer with the seconds that they took. */
  | { readonly ask: 'fill' | 'drain'; readonly size: number }
  /** When so many jobs are done since the last time, ms of the shared clock. */
  | { readonly ask: 'wait'; readonly count: number }
  /** Submit so many jobs of this shape and wait for their end; answered with Grown. */
  | { readonly ask: 'grow'; readonly shape: Shape; readonly size: number }
  /** Begin to take jobs of this workload. */
  | { readonly ask: 'work'; readonly workload: WorkloadName }

type Said = { readonly answer: unknown } | { readonly error: string }

/** A process of its own for one role of a system (submitter, worker), asked one thing at a time. */
export class Role {
  readonly pid: number
  readonly #child: ChildProcess

  /** @param file  module that calls `answer`, as a path */
  constructor(file: string, settings: Readonly<Record<string, string>>) {
    this.#child = fork(file, { env: { ...process.env, ...settings } })
    this.pid = this.#child.pid ?? 0
  }

  async run(workload: WholeRun, size: number): Promise<Run> {
    return (await this.#ask({ ask: 'run', workload, size })) as Run
  }

  async grow(shape: Shape, size: number): Promise<Grown> {
    return (await this.#ask({ ask: 'grow', shape, size })) as Grown
  }

  /** For questions that are answered with a number. */
  async number(question: Question): Promise<number> {
    return Number(await this.#ask(question))
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }

  async #ask(question: Question): Promise<unknown> {
    const answered = Promise.race([
      once(this.#child, 'message'),
      once(this.#child, 'exit').then(([code]) => {
        throw new Error(`a process of the benchmark ended with ${code}; see its words above`)
      }),
    ])
    this.#child.send(question)
    const [said] = (await answered) as [Said]
    if ('error' in said) throw new Error(said.error)
    return said.answer
  }
}

/** In the child: answers with what `respond` gives, and ends when nobody asks any more. */
export function answer(respond: (question: Question) => Promise<unknown>): void {
  process.on('message', (question: Question) => {
    respond(question).then(
      (given) => process.send?.({ answer: given }),
      (error: unknown) => process.send?.({ error: String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
}
