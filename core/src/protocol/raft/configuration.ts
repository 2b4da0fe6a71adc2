import { assert } from '../../base/assert.js'

/**
 * Who belongs to a group: a replicated record, an entry of the log like any other. Pure functions on
 * plain data; which of several records counts is decided in configurations.ts.
 *
 * K1  among committed records a replicaId stands for one store, and never comes back (protocol §1.5);
 *     one that was given and not committed may be given again, so a replica is named with its store
 * K2  voters and learners are disjoint; all their replicaIds are below `nextReplicaId`
 * K3  two consecutive records differ by one replica (dissertation §4.1): any two majorities meet
 */
export interface Configuration {
  /** Rises by one with each record; a change names the one that it was made for. */
  readonly configEpoch: number
  readonly voters: readonly Replica[]
  readonly learners: readonly Replica[]
  /** Above every replicaId that was ever given in this arc. */
  readonly nextReplicaId: ReplicaId
}

/** Integer ≥ 1, unique in its arc for ever. */
export type ReplicaId = number

/** One copy of an arc: its name, the node that holds it, and the data folder that it was made in. */
export interface Replica {
  readonly replicaId: ReplicaId
  readonly node: string
  readonly store: string
}

/** One replica at a time (K3). */
export type MemberChange =
  | { readonly kind: 'add-learner'; readonly node: string; readonly store: string }
  | { readonly kind: 'promote' | 'demote' | 'remove'; readonly replicaId: ReplicaId }

/** Of a replica that was told nothing yet: nobody votes, nobody campaigns. */
export const NO_CONFIGURATION: Configuration = {
  configEpoch: 0,
  voters: [],
  learners: [],
  nextReplicaId: 1,
}

/** What every arc begins with: one voter, replica 1. */
export function soleVoter(node: string, store: string): Configuration {
  return {
    configEpoch: 1,
    voters: [{ replicaId: 1, node, store }],
    learners: [],
    nextReplicaId: 2,
  }
}

export function replicaIn(config: Configuration, id: ReplicaId): Replica | undefined {
  return voterIn(config, id) ?? config.learners.find(({ replicaId }) => replicaId === id)
}

export function voterIn(config: Configuration, id: ReplicaId): Replica | undefined {
  return config.voters.find(({ replicaId }) => replicaId === id)
}

/**
 * True for good once it is of a committed record: by K1 no later one can hold the replica again. One
 * with the same number in another store was never committed: its number was given again.
 */
export function isRemoved(config: Configuration, { replicaId, store }: Replica): boolean {
  return replicaId < config.nextReplicaId && replicaIn(config, replicaId)?.store !== store
}

/**
 * The record after one change; fields that this version does not know stay.
 *
 * @returns undefined when the change does not fit: an unknown replica, a voter to be promoted, the
 * last voter to be taken away
 */
export function afterChange(
  config: Configuration,
  change: MemberChange,
): Configuration | undefined {
  const next = { ...config, configEpoch: config.configEpoch + 1 }
  if (change.kind === 'add-learner') {
    const { node, store } = change
    const learner: Replica = { replicaId: config.nextReplicaId, node, store }
    const learners = [...config.learners, learner]
    return { ...next, learners, nextReplicaId: config.nextReplicaId + 1 }
  }
  const replica = replicaIn(config, change.replicaId)
  if (replica === undefined) return undefined
  const isVoter = voterIn(config, change.replicaId) !== undefined
  const voters = config.voters.filter((other) => other !== replica)
  const learners = config.learners.filter((other) => other !== replica)
  if (voters.length === 0) return undefined
  switch (change.kind) {
    case 'promote':
      return isVoter ? undefined : { ...next, voters: [...voters, replica], learners }
    case 'demote':
      return isVoter ? { ...next, voters, learners: [...learners, replica] } : undefined
    case 'remove':
      return { ...next, voters, learners }
  }
}

/** How many replicas are voters in one record and not in the other. */
export function voterDifference(one: Configuration, other: Configuration): number {
  const count = (from: Configuration, to: Configuration): number =>
    from.voters.filter(({ replicaId }) => voterIn(to, replicaId) === undefined).length
  return count(one, other) + count(other, one)
}

/** Payload of a configuration entry: JSON text. */
export function encodeConfiguration(config: Configuration): string {
  checkConfiguration(config)
  return JSON.stringify(config)
}

export function decodeConfiguration(payload: string): Configuration {
  const config: Configuration = JSON.parse(payload)
  checkConfiguration(config)
  return config
}

function checkConfiguration({ voters, learners, nextReplicaId }: Configuration): void {
  const ids = [...voters, ...learners].map(({ replicaId }) => replicaId)
  assert(new Set(ids).size === ids.length, 'K2: a replica stands twice in a configuration')
  assert(
    ids.every((id) => Number.isInteger(id) && id >= 1 && id < nextReplicaId),
    'K2: a replicaId that was never given',
  )
}
