import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'

/** What results were measured with, in words. */
export function describeMachine() {
  const [cpu] = cpus()
  return {
    cores: `${availableParallelism()} × ${cpu?.model ?? 'unknown CPU'}`,
    memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
    node: `Node.js ${process.version}`,
    commit: `commit ${commit()}`,
  }
}

function commit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim()
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain') === '' ? '' : ' with changes')
    )
  } catch {
    return 'unknown'
  }
}
