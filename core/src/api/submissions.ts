import {
  type DurationSpec,
  makePlan,
  parseDuration,
  RETENTION_MS_MAX,
  type ParsedSubmission,
  type Submission,
  parseSubmission,
  type StepsSpec,
} from '@gyre/jobs'
import { arcOf } from '../base/ids.js'
import type { IdempotencyStamp, SubmitCommand } from '../protocol/ledger/command.js'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { NodeClient } from '../runtime/node-client.js'
import { checkedKey, submissionStamp } from './idempotency.js'
import type { CheckedRequest } from './check-turns.js'
import type { InputSchemas } from './input-schemas.js'
import type { JobIds } from './job-ids.js'
import { jobTermsOf } from './job-terms.js'
import type { KnownWork } from './known-work.js'
import { ARCS_TRIED_MAX } from './limits.js'
import { Problem, problemOf } from './problem.js'
import { checkJson } from './request-body.js'
import { startHints } from './start-hints.js'
import { checkUserValue } from './user-value.js'

/** What a request says about a submission beside its body. */
export interface SubmissionContext {
  /** Of the header; undefined in a batch. */
  readonly key: string | undefined
  readonly traceparent: string | undefined
  /** Of the whole body: an upper bound for the size of each part. */
  readonly bodyBytes: number
  /** Of the request: all jobs of a batch share it. */
  readonly checks: CheckedRequest
}

/** What is stored for a submission, or the answer that one like it was given before. */
export type Prepared =
  | { readonly kind: 'new'; readonly command: SubmitCommand }
  | { readonly kind: 'known'; readonly reply: Reply }

/** The way of one submission from JSON to the ledger; single and batch requests share it. */
export class Submissions {
  readonly #client: NodeClient
  readonly #known: KnownWork
  readonly #schemas: InputSchemas
  readonly #ids: JobIds

  constructor(client: NodeClient, known: KnownWork, schemas: InputSchemas, ids: JobIds) {
    this.#client = client
    this.#known = known
    this.#schemas = schemas
    this.#ids = ids
  }

  /**
   * @returns what the ledger said
   * @throws Problem when it does not get as far as the ledger
   */
  async submit(value: unknown, context: SubmissionContext): Promise<Reply> {
    return this.store(await this.prepare(value, context))
  }

  /**
   * Everything before something is stored. It may take long: whoever has several waits for all of them,
   * and then looks whether they are still wanted.
   *
   * @throws Problem when it does not get as far as the ledger
   */
  async prepare(value: unknown, context: SubmissionContext): Promise<Prepared> {
    checkJson(value)
    const parsed = parseSubmission(value)
    if (!parsed.ok) throw problemOf(parsed)
    checkUserData(parsed, context.bodyBytes)
    const stamp = stampOf(parsed.submission, context.key)
    try {
      return { kind: 'new', command: await this.#command(parsed, stamp, context) }
    } catch (error) {
      return { kind: 'known', reply: await this.#recall(stamp, error) }
    }
  }

  /** Without a key nobody says in which arc a job must be: it goes to another where its own stands still. */
  async store(prepared: Prepared): Promise<Reply> {
    if (prepared.kind === 'known') return prepared.reply
    let { command } = prepared
    for (let tries = 1; ; tries += 1) {
      const said = await this.#propose(command)
      const isRefused = !said.ok && said.code === 'arc_unavailable'
      const isBound = command.idempotency !== undefined
      if (!isRefused || isBound || tries === ARCS_TRIED_MAX) return said
      command = { ...command, id: this.#ids.mintElsewhere(command.id) }
    }
  }

  #propose(command: SubmitCommand): Promise<Reply> {
    return this.#client.propose({
      arc: arcOf(command.id, this.#client.identity.arcCount),
      command,
      needs: mayStartAtOnce(command) ? startHints(command.plan) : [],
      sheddable: true,
    })
  }

  /**
   * What would be refused today may have been taken before, when other plugins were there: a repeat
   * is answered as the first time. Looked up only then: what is not refused, the ledger looks up.
   *
   * @throws `refusal` when nothing was stored under the key
   */
  async #recall(stamp: IdempotencyStamp | undefined, refusal: unknown): Promise<Reply> {
    if (stamp === undefined || !(refusal instanceof Problem)) throw refusal
    const arc = arcOf(stamp.key, this.#client.identity.arcCount)
    const before = await this.#client.query(arc, { kind: 'submission', stamp })
    if (before.ok && before.result === 'found') throw refusal
    return before
  }

  async #command(
    parsed: ParsedSubmission,
    stamp: IdempotencyStamp | undefined,
    context: SubmissionContext,
  ): Promise<SubmitCommand> {
    const learning = this.#known.learn(servicesOf(parsed, this.#known))
    if (learning !== null) await learning
    const planned = makePlan(parsed, this.#known)
    if (!planned.ok) throw problemOf(this.#known.doubtOf(planned) ?? planned)
    await this.#schemas.check(planned.plan, planned.input, context.checks)

    const { submission } = parsed
    const { retention } = submission
    return {
      kind: 'submit',
      id: this.#ids.mint(stamp),
      plan: planned.plan,
      input: planned.input,
      ...jobTermsOf(submission),
      ...(submission.labels === undefined ? {} : { labels: submission.labels }),
      ...(retention === undefined ? {} : { retentionMs: retentionMsOf(retention) }),
      ...(stamp === undefined ? {} : { idempotency: stamp }),
      ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
    }
  }
}

function stampOf(submission: Submission, header: string | undefined): IdempotencyStamp | undefined {
  const key = keyOf(submission.idempotencyKey, header)
  return key === undefined ? undefined : submissionStamp(key, submission)
}

function retentionMsOf(retention: DurationSpec): number {
  const ms = parseDuration(retention)
  if (ms !== null && ms <= RETENTION_MS_MAX) return ms
  throw new Problem('invalid_request', 'a finished job is kept for 365 days at most', {
    at: '/retention',
  })
}

function keyOf(member: string | undefined, header: string | undefined): string | undefined {
  if (member !== undefined && header !== undefined && member !== header) {
    throw new Problem(
      'invalid_request',
      'idempotencyKey and the Idempotency-Key header differ; give one of them',
      { at: '/idempotencyKey' },
    )
  }
  return member === undefined ? header : checkedKey(member, '/idempotencyKey')
}

function checkUserData(parsed: ParsedSubmission, bodyBytes: number): void {
  const { submission, shape } = parsed
  checkUserValue(submission.input, '/input', bodyBytes)
  if (shape === 'service')
    checkUserValue(submission.compensate?.input, '/compensate/input', bodyBytes)
  if (shape !== 'steps') return
  checkUserValue(submission.output, '/output', bodyBytes)
  for (const [name, step] of Object.entries(submission.steps)) {
    checkUserValue(step.input, `/steps/${name}/input`, bodyBytes)
    checkUserValue(step.when?.equals, `/steps/${name}/when/equals`, bodyBytes)
    checkUserValue(step.forEach, `/steps/${name}/forEach`, bodyBytes)
    checkUserValue(step.compensate?.input, `/steps/${name}/compensate/input`, bodyBytes)
  }
}

function servicesOf(parsed: ParsedSubmission, known: KnownWork): string[] {
  switch (parsed.shape) {
    case 'service':
      return [parsed.submission.service, parsed.submission.compensate?.service].filter(isName)
    case 'steps':
      return servicesOfSteps(parsed.submission.steps)
    case 'job':
      return servicesOfSteps(known.job(parsed.submission.job)?.steps ?? {})
  }
}

function servicesOfSteps(steps: StepsSpec): string[] {
  return Object.values(steps).flatMap((step) =>
    [step.service, step.compensate?.service].filter(isName),
  )
}

function isName(name: string | undefined): name is string {
  return name !== undefined
}

function mayStartAtOnce({ delayMs, runAt }: SubmitCommand): boolean {
  return delayMs === undefined && runAt === undefined
}
