import { type ChildProcess, spawn } from 'node:child_process'
import { STOP_GRACE_MS } from './limits.js'
import { Tail } from './tail.js'

export interface ProgramOptions {
  /** The program and its arguments; no shell reads them. */
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string
  readonly outputBytesMax: number
  readonly signal: AbortSignal
}

export interface ProgramEnd {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: Tail
  readonly stderr: Tail
}

/**
 * Runs a program in a process group of its own and resolves when it and everything that it left behind
 * in its group is gone. On an abort the group is asked to stop (SIGTERM), and killed soon after.
 *
 * A process that makes itself a session of its own (setsid) gets away; that takes a program that means to.
 *
 * @throws the system's error when the program cannot be started; the signal's reason after an abort
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const { argv, cwd, env, stdin, outputBytesMax, signal } = options
  signal.throwIfAborted()
  const [program = '', ...args] = argv
  const child = spawn(program, args, { cwd, env, detached: true, stdio: 'pipe' })
  const stdout = new Tail(outputBytesMax)
  const stderr = new Tail(outputBytesMax)
  child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk))
  // A program that does not read its input closes it: its business.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const stop = stopping(child)
  signal.addEventListener('abort', stop.begin, { once: true })
  try {
    const [exitCode, endSignal] = await ended(child)
    signal.throwIfAborted()
    return { exitCode, signal: endSignal, stdout, stderr }
  } finally {
    signal.removeEventListener('abort', stop.begin)
    stop.end()
  }
}

/** The end of the program; what is left of its group then goes at once, and with it its open outputs. */
function ended(child: ChildProcess): Promise<readonly [number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => killGroup(child, 'SIGKILL'))
    child.once('close', (code, signal) => resolve([code, signal]))
  })
}

function stopping(child: ChildProcess): { readonly begin: () => void; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined
  const begin = (): void => {
    killGroup(child, 'SIGTERM')
    timer = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_GRACE_MS)
  }
  return { begin, end: () => clearTimeout(timer) }
}

function killGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in the group.
  }
}
