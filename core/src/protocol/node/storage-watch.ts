import type { EngineOutputs } from './engine-outputs.js'
import type { LogProgress, LogScrubProgress } from './engine-types.js'
import type { EngineStatus } from './messages.js'

const NO_PROGRESS: LogProgress = {
  shortage: null,
  waitsForRoom: false,
  syncs: 0,
  bytesWritten: 0,
  rot: [],
  rotGivenUp: 0,
}

/**
 * What the engine hears of its log and of the state store at rest, and what it tells of that.
 *
 * A damaged segment of the log goes as soon as nothing in it is needed: what stands there the state
 * holds too, in memory at least, and a checkpoint makes it durable there.
 */
export class StorageWatch {
  /** How far the background has come with verifying the log. */
  logScrub: LogScrubProgress = { segments: 0, bytes: 0, passes: 0, lastPassAt: null }
  #stateScrub: EngineStatus['scrub'] = { rows: 0, passes: 0 }
  readonly #outputs: EngineOutputs
  #progress = NO_PROGRESS
  #toldStuck = false

  constructor(outputs: EngineOutputs) {
    this.#outputs = outputs
  }

  get status(): Pick<EngineStatus, 'syncs' | 'bytesWritten' | 'logScrub' | 'scrub'> {
    const { syncs, bytesWritten, rot, rotGivenUp } = this.#progress
    const logScrub = { ...this.logScrub, damaged: rot.length, givenUp: rotGivenUp }
    return { syncs, bytesWritten, logScrub, scrub: this.#stateScrub }
  }

  get waitsForRoom(): boolean {
    return this.#progress.waitsForRoom
  }

  noteStateScrub({ rows, passes }: EngineStatus['scrub']): void {
    this.#stateScrub = { rows, passes }
  }

  setLogProgress(progress: LogProgress, isStateFull: boolean): void {
    const known = new Set(this.#progress.rot.map(({ number }) => number))
    this.#progress = progress
    const found = progress.rot.filter(({ number }) => !known.has(number))
    for (const { message } of found) this.#alarm('log_segment_damaged', damaged(message))
    if (found.length > 0) this.#outputs.toLedger({ kind: 'checkpoint' })
    this.noteStateFull(isStateFull)
  }

  /** The state store has no room for what the log is to give up, or has room again. */
  noteStateFull(isFull: boolean): void {
    const isStuck = isFull && this.#progress.rot.length > 0
    if (isStuck && !this.#toldStuck) this.#alarm('log_segment_kept', KEPT)
    this.#toldStuck = isStuck
  }

  #alarm(code: string, message: string): void {
    this.#outputs.toApi({ kind: 'alarm', code, message })
  }
}

function damaged(message: string): string {
  return (
    `${message}. The state still holds what stood there: it is made durable now, and then this ` +
    'segment is given up. Until the log says so, do not stop this node: a start would refuse ' +
    'the damaged log. Check the disk, and look after your backups'
  )
}

const KEPT =
  'a damaged segment of the log cannot be given up: the state store has no room for what stands in ' +
  'it. Free some space on the disk of the data folder, and do not stop this node before the log ' +
  'says that the segment was given up: a start would refuse the damaged log'
