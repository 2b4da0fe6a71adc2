import type { Instant } from '../../base/ids.js'
import type { Rows } from '../state/rows.js'
import type { Command, EntryBody } from './command.js'
import { actOnJobs } from './commands/act-on-jobs.js'
import { cancelJob } from './commands/cancel-job.js'
import { deleteJob } from './commands/delete-job.js'
import { deleteRecord } from './commands/delete-record.js'
import { failJob } from './commands/fail-job.js'
import { finishAttempt } from './commands/finish-attempt.js'
import { fireTimers } from './commands/fire-timers.js'
import { keepMemo } from './commands/keep-memo.js'
import { loseWorker } from './commands/lose-worker.js'
import { noteAttempt } from './commands/note-attempt.js'
import { noteRefusals } from './commands/note-refusals.js'
import { offerServices } from './commands/offer-services.js'
import { putRecord } from './commands/put-record.js'
import { resubmitJob } from './commands/resubmit-job.js'
import { retryJob } from './commands/retry-job.js'
import { skipCompensation } from './commands/skip-compensation.js'
import { startReady } from './commands/start-ready.js'
import { submitJob } from './commands/submit-job.js'
import { termStart } from './commands/term-start.js'
import type { LedgerEffect } from './effects.js'
import { EntryContext, type EntryPosition, type HashText } from './entry-context.js'
import type { Applied } from './outcome.js'
import { tellRefused } from './refused-steps.js'
import { type ClockRow, keys } from './rows-layout.js'
import type { LedgerTally } from './tally.js'

/**
 * The ledger of one arc: a deterministic state machine over rows. Equal entries over equal rows give
 * equal rows and equal effects, on every machine and in every life (core/docs/protocol/ledger.md).
 *
 * Not its job: which entries there are (the engine and the log), keeping rows (state/overlay.ts),
 * and carrying out effects (ledger-node.ts).
 *
 * L1  apply reads no clock but the entry's stamp, no dice but the entry's seed, no order but the rows'
 * L2  an attempt starts only by a grant, at most as many as it has slots
 * L3  only the current attempt's report counts, and it counts once
 * L4  an entry that cannot be understood stops apply; it is never skipped
 */
export class Ledger {
  readonly #rows: Rows
  readonly #hash: HashText

  constructor(rows: Rows, hash: HashText) {
    this.#rows = rows
    this.#hash = hash
  }

  /** Arc time of the last applied entry; 0 before the first. */
  get time(): Instant {
    return this.#rows.get<ClockRow>(keys.clock)?.t ?? 0
  }

  /** @param tally  counts what the entry brings about; null: it was counted before */
  apply(position: EntryPosition, body: EntryBody, tally: LedgerTally | null = null): LedgerResult {
    const context = new EntryContext({
      rows: this.#rows,
      stamp: body,
      position,
      hash: this.#hash,
      tally,
    })
    const applied = run(context, body.c)
    if (body.g !== undefined) startReady(context, body.g)
    tellRefused(context)
    context.save()
    const clock: ClockRow = { t: body.t }
    this.#rows.put(keys.clock, clock)
    const { effects, readyChanged, readyNames, timersChanged } = context
    return { applied, effects, readyChanged, readyNames, timersChanged }
  }
}

export interface LedgerResult {
  readonly applied: Applied
  readonly effects: readonly LedgerEffect[]
  readonly readyChanged: boolean
  /** Queues (ready-name.ts) whose first task may be another now. */
  readonly readyNames: Iterable<string>
  readonly timersChanged: boolean
}

function run(context: EntryContext, command: Command): Applied {
  switch (command.kind) {
    case 'submit':
      return submitJob(context, command)
    case 'start':
      return { ok: true, result: 'done' }
    case 'note-attempt':
      return noteAttempt(context, command)
    case 'finish-attempt':
      return finishAttempt(context, command)
    case 'fire':
      return fireTimers(context)
    case 'cancel':
      return cancelJob(context, command)
    case 'retry':
      return retryJob(context, command)
    case 'skip':
      return skipCompensation(context, command)
    case 'fail':
      return failJob(context, command)
    case 'resubmit':
      return resubmitJob(context, command)
    case 'act-on-jobs':
      return actOnJobs(context, command)
    case 'delete-job':
      return deleteJob(context, command)
    case 'lose-worker':
      return loseWorker(context, command)
    case 'put-record':
      return putRecord(context, command)
    case 'delete-record':
      return deleteRecord(context, command)
    case 'keep-memo':
      return keepMemo(context, command)
    case 'offer-services':
      return offerServices(context, command)
    case 'note-refusals':
      return noteRefusals(context, command)
    case 'term-start':
      return termStart(context)
    default:
      return unknownCommand(context, command)
  }
}

/** L4. Written by a newer version: going on without it would make this replica differ. */
function unknownCommand({ index }: EntryContext, command: never): never {
  throw new UnknownEntry(index, JSON.stringify(command))
}

/** An entry that this version cannot apply. It stops its arc, visibly, and no other (design §9). */
export class UnknownEntry extends Error {
  override readonly name = 'UnknownEntry'

  constructor(index: number, text: string) {
    super(
      `entry ${index} holds ${text.slice(0, 200)}, which this version cannot apply and must not ` +
        'skip; start a version that knows it',
    )
  }
}
