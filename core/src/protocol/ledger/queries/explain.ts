import type { JsonObject, StepPlan } from '@gyre/jobs'
import type { Instant } from '../../../base/ids.js'
import type { Rows } from '../../state/rows.js'
import { jobNotFound } from '../commands/refusals.js'
import { isoInstant } from '../iso-instant.js'
import { planOf } from '../job-parts.js'
import { type FanState, isDone, type JobRow, type StepState, type UndoFan } from '../job-row.js'
import { isFinal } from '../job-status.js'
import { EXPLAIN_REASONS_MAX } from '../limits.js'
import type { Reply } from '../outcome.js'
import type { ExplainQuery, OfferedSlots } from '../query.js'
import { keys } from '../rows-layout.js'
import { isRunning, type TaskState } from '../task.js'
import { nextTryOfItems } from '../views/next-try.js'
import { found, type ReadContext } from './found.js'

/**
 * Why a job is where it is: a table of rules over its row and over what the node offers. The first
 * rule that fits the job speaks for it; then each of its steps that something is still to happen to is
 * spoken for by the first rule that fits the step.
 *
 * Not its job: `owner_unavailable`, which only those can tell who got no answer from here.
 */
export function explainAnswer({ rows }: ReadContext, query: ExplainQuery): Reply {
  const row = rows.get<JobRow>(keys.job(query.id))
  if (row === undefined) return jobNotFound(query.id)
  const plans = planOf(rows, row)?.plan.steps ?? []
  const reasons = reasonsOf({ rows, row, plans }, query.offers)
  const main = reasons.find(({ code }) => speaksFor(row.status, code)) ?? reasons[0]
  const more = Math.max(0, reasons.length - EXPLAIN_REASONS_MAX)
  return found({
    summary: `The job is ${row.status}: ${main?.text ?? 'it goes on at once.'}`,
    reasons: reasons.slice(0, EXPLAIN_REASONS_MAX),
    more,
  })
}

/**
 * Where the status is that of some step, the sentence is about such a step: a job is `queued` because
 * one is ready, whatever the steps before it wait for.
 */
function speaksFor(status: string, code: string): boolean {
  return CODES_OF_STATUS[status]?.includes(code) ?? false
}

const CODES_OF_STATUS: Readonly<Record<string, readonly string[] | undefined>> = {
  running: ['running'],
  queued: ['no_worker', 'refused', 'no_credit'],
  waiting: ['backoff'],
}

interface Reason extends JsonObject {
  readonly code: string
  readonly text: string
}

interface Rule<Subject> {
  readonly code: string
  readonly fits: (subject: Subject) => boolean
  /** The text, and what a program wants to know of it. */
  readonly tell: (subject: Subject) => JsonObject & { readonly text: string }
}

function reasonsOf(subject: JobSubject, offers: ExplainQuery['offers']): Reason[] {
  const { row } = subject
  const ofJob = told(JOB_RULES, subject)
  if (row.status === SCHEDULED) return ofJob
  const works = row.steps.flatMap((step, position) => workOf(subject, step, position))
  return [
    ...ofJob,
    ...works.flatMap((work) => told(STEP_RULES, { ...work, offer: offerOf(work, offers) })),
  ]
}

function offerOf({ service }: Work, offers: ExplainQuery['offers']): OfferedSlots | undefined {
  return Object.hasOwn(offers, service) ? offers[service] : undefined
}

function told<Subject>(rules: readonly Rule<Subject>[], subject: Subject): Reason[] {
  const rule = rules.find(({ fits }) => fits(subject))
  return rule === undefined ? [] : [{ code: rule.code, ...rule.tell(subject) }]
}

interface JobSubject {
  readonly rows: Rows
  readonly row: JobRow
  readonly plans: readonly StepPlan[]
}

/** Compared as text: rows that a later version wrote may hold words that this one does not. */
const SCHEDULED: string = 'scheduled'
const POISON: string = 'poison'

const JOB_RULES: readonly Rule<JobSubject>[] = [
  {
    code: 'compensation_failed',
    fits: ({ row }) => row.status === 'compensation_failed',
    tell: ({ row, plans }) => {
      const failed = row.steps.findIndex(({ undo }) => undo?.phase === 'failed')
      const step = plans[failed]?.name ?? ''
      const { code = 'unknown', message = '' } = row.steps[failed]?.undo?.error ?? {}
      return {
        text:
          `the compensation of step ${step} failed for good (${code}: ${message}); repair its ` +
          'cause and retry the job, or give up the step with skip or all of it with fail.',
        step,
      }
    },
  },
  {
    code: 'poison',
    fits: ({ row }) => isFinal(row.status) && row.cause === POISON,
    tell: () => ({
      text:
        'a step lost its worker too often, so it may be what ends the workers; look at the logs ' +
        'of the nodes in its attempts before you retry the job.',
    }),
  },
  {
    code: 'finished',
    fits: ({ row }) => isFinal(row.status),
    tell: ({ row }) => ({
      text: `${row.error === null ? 'it has ended' : `${row.error.code}, ${row.error.message}`}.`,
      status: row.status,
      finishedAt: isoInstant(row.finishedAt ?? row.createdAt),
    }),
  },
  {
    code: 'compensating',
    fits: ({ row }) => row.phase === 'compensating',
    tell: ({ row, plans }) => {
      const left = plans.filter((_, position) => isToUndo(row.steps[position]))
      return {
        text: `what its steps did is undone, newest first; ${left.length} steps are left.`,
        steps: left.map(({ name }) => name),
      }
    },
  },
  {
    code: 'cancelling',
    fits: ({ row }) => row.phase === 'stopping' && row.cause === 'cancelled',
    tell: ({ row }) => ({
      text: `it was cancelled and waits for ${row.running} running attempts to stop.`,
      running: row.running,
    }),
  },
  {
    code: SCHEDULED,
    fits: ({ row }) => row.status === SCHEDULED,
    tell: ({ row: { runAt } }) => ({
      text: `it starts nothing before ${runAt === undefined ? 'its time' : isoInstant(runAt)}.`,
      ...(runAt === undefined ? {} : { until: isoInstant(runAt) }),
    }),
  },
]

function isToUndo(step: StepState | undefined): boolean {
  const phase = step?.undo?.phase
  return phase === 'waiting' || phase === 'open'
}

/** A step, or its undoing, that is not done yet. */
interface Work {
  readonly step: string
  readonly service: string
  readonly hook: 'run' | 'compensate'
  readonly task: TaskState | null
  readonly items: WorkItems | null
  /** Steps that must succeed before. */
  readonly unmet: readonly string[]
}

interface WorkItems {
  /** Started and not done: they run, wait for a slot, or for their next attempt. */
  readonly active: number
  /** May start now. */
  readonly queued: number
  /** True when attempts of the job run that are not of its single tasks: they are of items. */
  readonly run: boolean
  /** When the first of them is tried again; absent: none waits for that, or it is not known. */
  readonly nextTryAt?: Instant
}

interface StepSubject extends Work {
  readonly offer: OfferedSlots | undefined
}

function workOf(subject: JobSubject, step: StepState, position: number): Work[] {
  const { row, plans } = subject
  const plan = plans[position]
  if (plan === undefined) return []
  const shared = { step: plan.name, unmet: [] }
  if (step.undo?.phase === 'open') {
    const { task, fan } = step.undo
    const service = plan.compensate?.service ?? plan.service
    return [
      {
        ...shared,
        service,
        hook: 'compensate',
        task,
        items: itemsOf(subject, plan.name, fan, 'compensate'),
      },
    ]
  }
  if (step.phase !== 'waiting' && step.phase !== 'open') return []
  const { task, fan } = step
  const work = { ...shared, service: plan.service, hook: 'run', task } as const
  if (step.phase === 'open') return [{ ...work, items: itemsOf(subject, plan.name, fan, 'run') }]
  if (row.phase !== (plan.onFailure === true ? 'failing' : 'forward')) return []
  const unmet = plan.needs.filter((name) => !isNeedDone(subject, name))
  return [{ ...work, items: null, unmet }]
}

function itemsOf(
  { rows, row }: JobSubject,
  step: string,
  fan: FanState | UndoFan | null,
  hook: Work['hook'],
): WorkItems | null {
  if (fan === null) return null
  const nextTryAt =
    fan.active === 0 ? undefined : nextTryOfItems(rows, { job: row.id, step, fan, hook })
  const next = nextTryAt === undefined ? {} : { nextTryAt }
  const single = row.steps.filter(
    ({ task, undo }) => isRunning(task) || isRunning(undo?.task ?? null),
  )
  return { active: fan.active, queued: fan.queued, run: row.running > single.length, ...next }
}

function isNeedDone({ row, plans }: JobSubject, name: string): boolean {
  const step = row.steps[plans.findIndex((plan) => plan.name === name)]
  return step !== undefined && isDone(step)
}

const STEP_RULES: readonly Rule<StepSubject>[] = [
  {
    code: 'waiting_needs',
    fits: ({ unmet }) => unmet.length > 0,
    tell: ({ step, unmet }) => ({
      text: `step ${step} waits for ${unmet.join(', ')}.`,
      step,
      needs: unmet,
    }),
  },
  {
    code: 'running',
    fits: ({ task, items }) => isRunning(task) || (items !== null && items.active > 0 && items.run),
    tell: (subject) => (subject.items === null ? runningTask(subject) : runningItems(subject)),
  },
  {
    code: 'no_worker',
    fits: (subject) => isReady(subject) && subject.offer === undefined,
    tell: ({ service, ...subject }) => ({
      text: `no live node offers ${service}; start a node with the plugin that defines it.`,
      ...placeOf(subject),
      service,
    }),
  },
  {
    code: 'refused',
    fits: (subject) => isReady(subject) && subject.offer?.refused !== undefined,
    tell: ({ service, offer, ...subject }) => ({
      text: `the node refuses ${service} (${offer?.refused ?? ''}); add a node that has what it requires.`,
      ...placeOf(subject),
      service,
      refused: offer?.refused ?? '',
    }),
  },
  {
    code: 'no_credit',
    fits: isReady,
    tell: ({ service, offer, ...subject }) => ({
      text: `all slots of ${service} are taken (${offer?.slots ?? 0} in all); it starts when one is free.`,
      ...placeOf(subject),
      service,
      slots: offer?.slots ?? 0,
    }),
  },
  {
    code: 'backoff',
    fits: ({ task, items }) => task?.phase === 'backoff' || (items !== null && items.active > 0),
    tell: ({ task, items, ...subject }) =>
      task === null
        ? {
            text: `${items?.active ?? 0} items of step ${subject.step} wait for their next attempts${after(items)}.`,
            ...placeOf(subject),
            items: items?.active ?? 0,
            ...(items?.nextTryAt === undefined ? {} : { until: isoInstant(items.nextTryAt) }),
          }
        : {
            text: `attempt ${task.attempt} of ${named(subject)} ended ${endOf(task)}; the next comes at ${isoInstant(task.dueAt)}.`,
            ...placeOf(subject),
            attempt: task.attempt,
            until: isoInstant(task.dueAt),
          },
  },
]

function after(items: WorkItems | null): string {
  return items?.nextTryAt === undefined ? '' : `; the first comes at ${isoInstant(items.nextTryAt)}`
}

function isReady({ task, items }: StepSubject): boolean {
  return task?.phase === 'ready' || (items !== null && items.queued > 0)
}

function runningTask({ task, ...subject }: StepSubject): JsonObject & { readonly text: string } {
  const startedAt = isoInstant(task?.newest?.startedAt ?? 0)
  const attempt = task?.attempt ?? 0
  const place = { ...placeOf(subject), attempt, node: task?.newest?.node ?? '', startedAt }
  if (task?.phase === 'stopping') {
    const why = task.stopping === 'timed_out' ? 'has timed out' : 'was told to stop'
    return {
      text: `attempt ${attempt} of ${named(subject)} ${why} and has not ended yet.`,
      ...place,
    }
  }
  const timesOutAt = isoInstant(task?.dueAt ?? 0)
  const text = `attempt ${attempt} of ${named(subject)} runs since ${startedAt}, until ${timesOutAt} at most.`
  return { text, ...place, timesOutAt }
}

function runningItems({ items, ...subject }: StepSubject): JsonObject & { readonly text: string } {
  const active = items?.active ?? 0
  return {
    text: `${active} items of ${named(subject)} are being worked on.`,
    ...placeOf(subject),
    items: active,
  }
}

function placeOf({ step, hook }: Pick<Work, 'step' | 'hook'>): JsonObject {
  return hook === 'run' ? { step } : { step, hook }
}

function named({ step, hook }: Pick<Work, 'step' | 'hook'>): string {
  return hook === 'run' ? `step ${step}` : `the compensation of step ${step}`
}

function endOf({ newest, error }: TaskState): string {
  return `${newest?.outcome ?? 'early'}${error === null ? '' : ` (${error.code})`}`
}

/** Every code that the ledger tells. */
export const TOLD_CODES: readonly string[] = [...JOB_RULES, ...STEP_RULES].map(({ code }) => code)
