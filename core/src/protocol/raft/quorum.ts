import type { Configuration, ReplicaId } from './configuration.js'

/** How many of `count` voters are a majority; 1 for none, so that nobody is never enough. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1
}

/**
 * The greatest value that a majority of the voters has reached; 0 when there are no voters.
 *
 * @param reached one value per voter, in any order; integers ≥ 0
 */
export function reachedByMajority(reached: readonly number[]): number {
  const falling = [...reached].sort((a, b) => b - a)
  return falling[majorityOf(reached.length) - 1] ?? 0
}

export type Verdict = 'won' | 'lost' | 'open'

/** How an election stands; answers of replicas that are no voters do not count. */
export function verdictOf(
  config: Configuration,
  answers: ReadonlyMap<ReplicaId, boolean>,
): Verdict {
  let granted = 0
  let refused = 0
  for (const { replicaId } of config.voters) {
    const answer = answers.get(replicaId)
    if (answer === true) granted += 1
    if (answer === false) refused += 1
  }
  const needed = majorityOf(config.voters.length)
  if (granted >= needed) return 'won'
  return config.voters.length - refused < needed ? 'lost' : 'open'
}
