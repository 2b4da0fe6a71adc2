import { readFileSync } from 'node:fs'

/** Linux counts CPU time of a process in these, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100
const SAMPLE_EVERY_MS = 500

/** @returns user and system time of all threads of the processes so far, s */
export function cpuSeconds(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  })
}

/**
 * What is given to a file system, and not what that says to have written (`write_bytes`): where pages
 * are kept in large folios, 4 KiB that are overwritten count as up to 2 MiB there, and are not.
 *
 * @returns bytes that the processes have written to files, and to their clients, so far
 */
export function writtenBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => fieldOf(`/proc/${pid}/io`, 'wchar'))
}

/** @returns memory of the processes, what they share counted once, MiB */
export function memoryMiB(pids: readonly number[]): number {
  return sum(pids, (pid) => fieldOf(`/proc/${pid}/smaps_rollup`, 'Pss')) / 1024
}

/** Looks at the memory of processes again and again, until it is asked for the most it saw. */
export class MemoryPeak {
  readonly #pids: readonly number[]
  readonly #timer: NodeJS.Timeout
  #peakMiB = 0

  constructor(pids: readonly number[]) {
    this.#pids = pids
    this.#timer = setInterval(() => this.#look(), SAMPLE_EVERY_MS)
    this.#look()
  }

  /** @returns MiB */
  stop(): number {
    clearInterval(this.#timer)
    this.#look()
    return this.#peakMiB
  }

  #look(): void {
    this.#peakMiB = Math.max(this.#peakMiB, memoryMiB(this.#pids))
  }
}

/** The share of the machine that is busy with other things than these processes, 0 to 1, while `work` runs. */
export async function disturbed<Result>(
  pids: () => readonly number[],
  cores: number,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly disturbance: number }> {
  const before = { machine: machineSeconds(), own: cpuSeconds(pids()), at: performance.now() }
  const result = await work()
  const spent = machineSeconds() - before.machine - (cpuSeconds(pids()) - before.own)
  const seconds = (performance.now() - before.at) / 1000
  return { result, disturbance: Math.max(0, spent / seconds / cores) }
}

function machineSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + interrupts + soft) / TICKS_PER_SECOND
}

function fieldOf(path: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
}

function sum(pids: readonly number[], measure: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + measure(pid), 0)
}
