import type { Command, RecordCondition } from '@gyre/core/internal/protocol/ledger/command.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { FinalState } from '../final-state.js'
import type { ClientOperation } from '../operation.js'
import { type Checker, type Observation, Violation } from '../observation.js'
import { isLinearizable, type TimedStep } from './linearize.js'

/**
 * `value`: JSON text, null when there is no record. `version`: unknown after a write whose outcome
 * nobody was told, until an answer tells it. A value can have several: a write that is repeated after
 * another one came between is a write like any other.
 */
interface RecordState {
  readonly value: string | null
  readonly version: number | undefined
}

type Write = Extract<Command, { readonly kind: 'put-record' | 'delete-record' }>

interface Try {
  readonly operation: ClientOperation
  readonly invokedAt: number
  returnedAt: number
  reply: Reply | null
}

interface Rest {
  readonly at: number
  readonly records: ReadonlyMap<string, RecordState>
}

const MAX_STATES = 200_000

/**
 * I20: what clients were told about one record fits a single order of its writes and reads that
 * respects real time; a write whose outcome is unknown took place at one moment or not at all. What
 * the record is at rest counts as a read, so that a write is missed also when no client looks again.
 *
 * Values are unique, so a value says which intention it is of. An answer that is a replay of an earlier
 * one is left out: the write that it speaks of is there as the earlier try.
 */
export class RecordsLinearizable implements Checker {
  readonly name = 'records-linearizable'
  readonly #tries = new Map<number, Try>()
  /** Record key and version → value. */
  readonly #valueOf = new Map<string, string>()
  readonly #rests: Rest[] = []

  observe(at: number, observation: Observation): void {
    switch (observation.kind) {
      case 'invoked':
        return this.#onInvoked(at, observation.operation)
      case 'answered':
        return this.#onAnswered(at, observation.operation, observation.reply)
      case 'rested':
        this.#rests.push({ at, records: new Map(recordsByKey(observation.state)) })
        return this.#check()
      default:
        return
    }
  }

  #onInvoked(at: number, operation: ClientOperation): void {
    if (keyOf(operation) === null) return
    const returnedAt = Number.POSITIVE_INFINITY
    this.#tries.set(operation.number, { operation, invokedAt: at, returnedAt, reply: null })
  }

  #onAnswered(at: number, operation: ClientOperation, reply: Reply): void {
    const known = this.#tries.get(operation.number)
    if (known === undefined) return
    if (hadNoEffect(reply) || (reply.ok && isReplay(reply))) this.#tries.delete(operation.number)
    known.returnedAt = at
    known.reply = reply
    const value = valueTold(operation, reply)
    const key = keyOf(operation)
    const hasVersion = value !== null && reply.ok && reply.version !== undefined
    if (key !== null && hasVersion) this.#learn(key, value, reply.version)
  }

  /** Versions only rise for a key, also across deletes: none is ever used for two values. */
  #learn(key: string, value: string, version: number): void {
    const place = `${key} at version ${version}`
    const other = this.#valueOf.get(place) ?? value
    if (other !== value) throw new Violation(this.name, `${place} was ${other} and is ${value}`)
    this.#valueOf.set(place, value)
  }

  #check(): void {
    const byKey = new Map<string, Try[]>()
    for (const attempt of this.#tries.values()) {
      const key = keyOf(attempt.operation)
      if (key === null) continue
      const isUnansweredRead = attempt.reply === null && attempt.operation.work.kind === 'query'
      if (!isUnansweredRead) byKey.set(key, [...(byKey.get(key) ?? []), attempt])
    }
    for (const [key, tries] of byKey) {
      const steps = [...tries.map(stepOf), ...this.#rests.map((rest) => stepOfRest(rest, key))]
      const keyOfState = ({ value, version }: RecordState): string => `${value} ${version}`
      const isRight = isLinearizable(steps, MISSING, { keyOf: keyOfState, maxStates: MAX_STATES })
      if (isRight === false)
        throw new Violation(
          this.name,
          `no order explains what clients saw of ${key}: ${describe(tries)}${this.#describeRests(key)}`,
        )
    }
  }

  #describeRests(key: string): string {
    const lines = this.#rests.map(({ at, records }) => {
      return `\n  ${at.toFixed(3)} at rest ${JSON.stringify(records.get(key) ?? null)}`
    })
    return lines.join('')
  }
}

function stepOf({ operation, invokedAt, returnedAt, reply }: Try): TimedStep<RecordState> {
  const { work } = operation
  if (work.kind === 'query')
    return { invokedAt, returnedAt, take: (state) => afterRead(state, reply) }
  const write = work.command as Write
  return { invokedAt, returnedAt, take: (state) => afterWrite(state, write, reply) }
}

function afterWrite(state: RecordState, write: Write, reply: Reply | null): RecordState | null {
  const holds = conditionHolds(state, write.condition)
  if (reply !== null && !reply.ok) {
    const current = reply.details?.['currentVersion']
    return holds === true ? null : told(state, typeof current === 'number' ? current : undefined)
  }
  if (holds === false) return null
  if (write.kind === 'delete-record') return MISSING
  if (reply?.ok === true && (reply.result === 'created') !== (state.value === null)) return null
  return { value: JSON.stringify(write.value), version: reply?.version }
}

function recordsByKey({ records }: FinalState): [string, RecordState][] {
  return records.map(({ key, value, version }) => [key, { value: JSON.stringify(value), version }])
}

/** Nothing is under way at rest: the read takes no time. */
function stepOfRest({ at, records }: Rest, key: string): TimedStep<RecordState> {
  const { value, version } = records.get(key) ?? MISSING
  const take = (state: RecordState): RecordState | null =>
    state.value === value ? told(state, version) : null
  return { invokedAt: at, returnedAt: at, take }
}

const MISSING: RecordState = { value: null, version: undefined }

/** @returns undefined when it depends on a version that nobody was told */
function conditionHolds(
  state: RecordState,
  condition: RecordCondition | undefined,
): boolean | undefined {
  if (condition === undefined) return true
  if (condition.kind === 'exists') return state.value !== null
  if (condition.kind === 'absent') return state.value === null
  if (state.value === null) return false
  return state.version === undefined ? undefined : state.version === condition.version
}

/** @returns the state, whose version somebody was told, undefined: no record; null: it cannot be that */
function told(state: RecordState, version: number | undefined): RecordState | null {
  if ((state.value === null) !== (version === undefined)) return null
  if (state.version !== undefined && state.version !== version) return null
  return { value: state.value, version }
}

function afterRead(state: RecordState, reply: Reply | null): RecordState | null {
  if (reply === null) return state
  if (!reply.ok) return state.value === null ? state : null
  return state.value === valueIn(reply.body) ? told(state, reply.version) : null
}

function keyOf({ work }: ClientOperation): string | null {
  if (work.kind === 'query') return work.query.kind === 'record' ? work.query.key : null
  const { command } = work
  return command.kind === 'put-record' || command.kind === 'delete-record' ? command.key : null
}

/** The value whose version this answer tells. */
function valueTold({ work }: ClientOperation, reply: Reply): string | null {
  if (!reply.ok) return null
  if (work.kind === 'query') return valueIn(reply.body)
  return work.command.kind === 'put-record' ? JSON.stringify(work.command.value) : null
}

function valueIn(body: string | undefined): string | null {
  return body === undefined ? null : JSON.stringify(JSON.parse(body).value)
}

function isReplay(reply: Extract<Reply, { readonly ok: true }>): boolean {
  return reply.replayed === true || reply.result === 'replayed' || reply.result === 'replayed-final'
}

/** Refused before it reached the log. */
function hadNoEffect(reply: Reply): boolean {
  return !reply.ok && ['not_ready', 'overloaded', 'arc_unavailable'].includes(reply.code)
}

function describe(tries: readonly Try[]): string {
  const lines = tries.map(({ operation, invokedAt, returnedAt, reply }) => {
    const { work } = operation
    const what = work.kind === 'query' ? work.query : work.command
    const answer = reply === null ? 'unknown' : JSON.stringify(reply)
    return `\n  ${invokedAt.toFixed(3)}-${returnedAt.toFixed(3)} ${JSON.stringify(what)} => ${answer}`
  })
  return lines.join('')
}
