import { createHash } from 'node:crypto'
import type { Json } from '@gyre/jobs'
import { arcOf, makeJobId } from '@gyre/core/internal/base/ids.js'
import type { Prng } from '@gyre/core/internal/base/prng.js'
import type {
  Command,
  IdempotencyStamp,
  RecordCondition,
  SubmitCommand,
} from '@gyre/core/internal/protocol/ledger/command.js'
import type { Reply } from '@gyre/core/internal/protocol/ledger/outcome.js'
import type { Query } from '@gyre/core/internal/protocol/ledger/query.js'
import type { JobMix } from './job-mix.js'
import type { OperationWeights, SimOptions } from './swarm.js'

/** SHA-256 cut to 32 hex digits, of `kind \0 name`, as names become IDs (design §2). */
export function idOfName(kind: string, name: string): string {
  return hash128(`${kind}\0${name}`)
}

export function hash128(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

const TEAMS = ['red', 'blue']

/** What a client wants: built once, tried until its outcome is known or it may not be repeated. */
export interface Intention {
  readonly isRepeatable: boolean
  /** A try: a submission mints a new job ID each time, as the API does. */
  build():
    | { readonly arc: number; readonly command: Command; readonly needs: readonly string[] }
    | { readonly arc: number; readonly query: Query }
}

/**
 * A client: decides what to do next from what it was told so far, and from nothing else. It never
 * looks into the node.
 */
export class Client {
  readonly #prng: Prng
  readonly #options: SimOptions
  readonly #jobs: JobMix
  /** Labels, the lists by them and retentions have a stream of their own. */
  readonly #labels: Prng
  readonly #wallNow: () => number
  /** Jobs it was told of. */
  readonly #knownJobs: string[] = []
  /** Newest version it saw of each record key; null: it saw none there. */
  readonly #versions = new Map<string, number | null>()
  /** Submissions and resubmissions with a key, to be repeated on purpose. */
  readonly #keyed: Intention[] = []
  /** Bulk actions that it has begun, to be gone on with: each asks for one more slice. */
  readonly #bulks: Intention[] = []

  constructor(prng: Prng, options: SimOptions, jobs: JobMix, wallNow: () => number) {
    this.#prng = prng
    this.#options = options
    this.#jobs = jobs
    this.#labels = prng.fork('labels')
    this.#wallNow = wallNow
  }

  /** One intention, or several at once (a batch). */
  next(): Intention[] {
    const kind = this.#drawKind()
    switch (kind) {
      case 'submit':
        return [this.#submit()]
      case 'batch':
        return [...Array(this.#prng.between(2, 6))].map(() => this.#submit())
      case 'cancel':
        return this.#aboutJob((id) => ({
          kind: 'cancel',
          id,
          compensate: this.#prng.chance(0.5),
          ...this.#maybeIdempotent(),
        }))
      case 'retry':
        return this.#aboutJob((id) => ({ kind: 'retry', id, ...this.#maybeIdempotent() }))
      case 'skip':
        return this.#aboutJob((id) => ({
          kind: 'skip',
          id,
          step: this.#prng.pick(['main', 's0', 's1']),
          reason: 'drawn',
          ...this.#maybeIdempotent(),
        }))
      case 'fail':
        return this.#aboutJob((id) => ({
          kind: 'fail',
          id,
          reason: 'drawn',
          ...this.#maybeIdempotent(),
        }))
      case 'bulk':
        return [this.#bulk()]
      case 'resubmit':
        return this.#resubmit()
      case 'deleteJob':
        return this.#aboutJob((id) => ({ kind: 'delete-job', id, ...this.#maybeIdempotent() }))
      case 'putRecord':
        return [this.#putRecord()]
      case 'deleteRecord':
        return [this.#deleteRecord()]
      case 'getRecord':
        return [this.#getRecord()]
      case 'listRecords':
        return [
          this.#read(this.#prng.below(this.#options.arcCount), {
            kind: 'records',
            prefix: 'r',
            limit: 100,
          }),
        ]
      case 'getJob':
        return this.#getJob()
    }
  }

  /** It remembers what it is told. */
  learn(command: Command | null, query: Query | null, reply: Reply): void {
    const body = reply.ok && reply.body !== undefined ? (JSON.parse(reply.body) as Json) : null
    if ((command?.kind === 'submit' || command?.kind === 'resubmit') && reply.ok)
      this.#knownJobs.push(String(memberOfBody(body, 'id')))
    const key =
      command?.kind === 'put-record' || command?.kind === 'delete-record'
        ? command.key
        : query?.kind === 'record'
          ? query.key
          : null
    if (key !== null) this.#versions.set(key, this.#versionIn(reply))
  }

  #versionIn(reply: Reply): number | null {
    if (reply.ok) return reply.version ?? null
    const current = reply.details?.['currentVersion']
    return typeof current === 'number' ? current : null
  }

  #drawKind(): keyof OperationWeights {
    const entries = Object.entries(this.#options.weights) as [keyof OperationWeights, number][]
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
    let left = this.#prng.below(total)
    for (const [kind, weight] of entries) {
      left -= weight
      if (left < 0) return kind
    }
    return 'submit'
  }

  #submit(): Intention {
    const prng = this.#prng
    if (this.#keyed.length > 0 && prng.chance(0.25)) return prng.pick(this.#keyed)
    const { plan, input } = this.#jobs.draw()
    const ready = plan.steps.filter((step) => step.needs.length === 0)
    const needs = ready.map((step) => step.service)
    const idempotency = prng.chance(0.6) ? this.#submissionKey(JSON.stringify(plan)) : undefined
    const terms = this.#drawTerms()
    const labels = this.#labels.chance(0.5) ? { team: this.#labels.pick(TEAMS) } : undefined
    const retentionMs = this.#labels.chance(this.#options.hasty)
      ? this.#labels.pick([0, 100, 2_000])
      : undefined
    const notAfter = prng.chance(this.#options.hurry)
      ? this.#wallNow() + prng.pick([0, 50, 1_000])
      : undefined
    const place =
      idempotency === undefined
        ? prng.below(0x10000)
        : Number.parseInt(idempotency.key.slice(0, 4), 16)
    const intention: Intention = {
      isRepeatable: idempotency !== undefined,
      build: () => {
        const id = makeJobId(place, this.#wallNow(), prng.hex16())
        const command: Command = {
          kind: 'submit',
          id,
          plan,
          input,
          ...(idempotency === undefined ? {} : { idempotency }),
          ...terms,
          ...(labels === undefined ? {} : { labels }),
          ...(retentionMs === undefined ? {} : { retentionMs }),
          ...(notAfter === undefined ? {} : { notAfter }),
        }
        return { arc: arcOf(id, this.#options.arcCount), command, needs }
      },
    }
    if (idempotency !== undefined) this.#keyed.push(intention)
    return intention
  }

  /** What the job says of its order and times: mostly nothing, and at most one way to start late. */
  #drawTerms(): Partial<SubmitCommand> {
    const prng = this.#prng
    const start = prng.chance(0.2) ? prng.pick([1, 300, 2_000]) : undefined
    const { wallTimes } = this.#options
    const isDelay = prng.chance(0.5) || !wallTimes
    const startBy = prng.chance(0.15) ? prng.pick([0, 100, 1_000, 5_000]) : undefined
    return {
      ...(prng.chance(0.5) ? { priority: prng.below(10) } : {}),
      ...(start === undefined || !isDelay ? {} : { delayMs: start }),
      ...(start === undefined || isDelay ? {} : { runAt: this.#wallNow() + start }),
      ...(startBy === undefined || !wallTimes ? {} : { startBy: this.#wallNow() + startBy }),
      ...(prng.chance(0.15) ? { timeoutMs: prng.pick([1, 200, 2_000, 10_000]) } : {}),
    }
  }

  /** Clients share a small key space, so that keys collide with equal and other requests. */
  #submissionKey(request: string): IdempotencyStamp {
    const key = hash128(`key ${this.#prng.below(this.#options.idempotencyKeyCount)}`)
    return { key, fingerprint: hash128(request) }
  }

  #maybeIdempotent(): { readonly idempotency?: IdempotencyStamp } {
    if (this.#prng.chance(0.5)) return {}
    const name = this.#prng.hex16()
    return { idempotency: { key: hash128(`operation ${name}`), fingerprint: hash128(name) } }
  }

  #aboutJob(build: (id: string) => Command): Intention[] {
    if (this.#knownJobs.length === 0) return [this.#submit()]
    const id = this.#recentJob()
    const command = build(id)
    const isRepeatable = 'idempotency' in command
    const arc = arcOf(id, this.#options.arcCount)
    return [
      {
        isRepeatable,
        build: () => ({ arc, command, needs: [...Object.keys(this.#options.slots)] }),
      },
    ]
  }

  #resubmit(): Intention[] {
    if (this.#knownJobs.length === 0) return [this.#submit()]
    const prng = this.#prng
    const source = this.#recentJob()
    const arc = arcOf(source, this.#options.arcCount)
    const place = Number.parseInt(source.slice(0, 4), 16)
    const from = prng.chance(0.7) ? prng.pick(['main', 's0', 's1', 's2', 's3']) : undefined
    const input = prng.chance(0.3) ? { nonce: prng.hex16() } : undefined
    const idempotent = this.#maybeIdempotent()
    const build = () => {
      const command: Command = {
        kind: 'resubmit',
        id: makeJobId(place, this.#wallNow(), prng.hex16()),
        source,
        ...(from === undefined ? {} : { from }),
        ...(input === undefined ? {} : { input }),
        ...idempotent,
      }
      return { arc, command, needs: [...Object.keys(this.#options.slots)] }
    }
    const intention = { isRepeatable: 'idempotency' in idempotent, build }
    if (intention.isRepeatable) this.#keyed.push(intention)
    return [intention]
  }

  #bulk(): Intention {
    const prng = this.#prng
    if (this.#bulks.length > 0 && prng.chance(0.7)) return prng.pick(this.#bulks)
    const action = prng.pick(['cancel', 'retry', 'retry', 'delete'] as const)
    const ofTeam = action === 'delete' || prng.chance(0.5)
    const command: Command = {
      kind: 'act-on-jobs',
      bulk: hash128(`bulk ${prng.hex16()}`),
      action,
      filter: ofTeam ? { labels: { team: prng.pick(TEAMS) } } : {},
      limit: prng.between(1, 4),
    }
    const arc = prng.below(this.#options.arcCount)
    const intention: Intention = { isRepeatable: true, build: () => ({ arc, command, needs: [] }) }
    this.#bulks.push(intention)
    return intention
  }

  #recentJob(): string {
    const newest = this.#knownJobs.slice(-4)
    return this.#prng.pick(this.#prng.chance(0.7) ? newest : this.#knownJobs)
  }

  #putRecord(): Intention {
    const key = this.#drawKey()
    const condition = this.#drawCondition(key)
    return this.#change(key, {
      kind: 'put-record',
      key,
      id: idOfName('record', key),
      value: this.#prng.hex16(),
      ...(condition === undefined ? {} : { condition }),
      ...this.#maybeIdempotent(),
    })
  }

  #deleteRecord(): Intention {
    const key = this.#drawKey()
    const condition = this.#drawCondition(key)
    return this.#change(key, {
      kind: 'delete-record',
      key,
      id: idOfName('record', key),
      ...(condition === undefined || condition.kind === 'absent' ? {} : { condition }),
      ...this.#maybeIdempotent(),
    })
  }

  #change(key: string, command: Command): Intention {
    return {
      isRepeatable: 'idempotency' in command,
      build: () => ({ arc: this.#arcOfKey(key), command, needs: [] }),
    }
  }

  #drawCondition(key: string): RecordCondition | undefined {
    const known = this.#versions.get(key)
    const kind = this.#prng.below(6)
    if (kind < 3 && typeof known === 'number') return { kind: 'version', version: known }
    if (kind === 3) return { kind: 'exists' }
    if (kind === 4) return { kind: 'absent' }
    return undefined
  }

  #getRecord(): Intention {
    const key = this.#drawKey()
    return this.#read(this.#arcOfKey(key), { kind: 'record', key })
  }

  #getJob(): Intention[] {
    if (this.#knownJobs.length === 0) return [this.#submit()]
    const id = this.#recentJob()
    const arc = arcOf(id, this.#options.arcCount)
    const limit = this.#prng.between(1, 50)
    const queries: Query[] = [
      { kind: 'job', id },
      { kind: 'history', id, after: 0, limit },
      { kind: 'items', id, step: 's1', after: -1, limit },
      { kind: 'peek', id },
      { kind: 'jobs', limit },
    ]
    const query = this.#prng.pick(queries)
    const byLabel = this.#labels.chance(0.2)
    if (!byLabel) return [this.#read(arc, query)]
    return [this.#read(arc, { kind: 'jobs', labels: { team: this.#labels.pick(TEAMS) }, limit })]
  }

  #read(arc: number, query: Query): Intention {
    return { isRepeatable: true, build: () => ({ arc, query }) }
  }

  #drawKey(): string {
    return `r${this.#prng.below(this.#options.recordKeyCount)}`
  }

  #arcOfKey(key: string): number {
    return arcOf(idOfName('record', key), this.#options.arcCount)
  }
}

function memberOfBody(body: Json, name: string): Json {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return null
  return (body as Record<string, Json>)[name] ?? null
}
