import { Prng } from '@gyre/core/internal/base/prng.js'
import type { FlushPolicy } from '@gyre/core/internal/runtime/ledger-runtime.js'
import type { ScrubPauses } from '@gyre/core/internal/runtime/scrub-pace.js'
import type { BehaviourKind } from './behaviour.js'
import { FAULT_KINDS, type FaultKind } from './faults.js'
import type { CapacityOffer } from '@gyre/core/internal/protocol/node/messages.js'
import type { LinkDelay } from './sim-link.js'

/**
 * Everything that one seed decides before its run begins. Swarm testing: each seed draws not only
 * rates but which faults and features exist at all, since a run with every fault at once rarely gets
 * deep into any one story.
 */
export interface SimOptions {
  readonly seed: number
  readonly arcCount: number
  readonly slots: Readonly<Record<string, number>>
  readonly totalSlots: number
  /** What the node has, and what each service takes of it; null: nothing is short. */
  readonly capacity: CapacityOffer | null
  /** The node refuses services, others in each of its lives. */
  readonly refusals: boolean
  /** Length of the line that each attempt logs. */
  readonly logChars: number
  readonly linkDelay: LinkDelay
  /** Bytes of one log segment, far smaller than in production so that segments turn over. */
  readonly segmentBytes: number
  /** Bytes of log kept for their own sake after they are not needed any more. */
  readonly retainBytes: number
  /** When rows leave memory: tiny slices and frequent checkpoints meet more crashes. */
  readonly flush: FlushPolicy
  /** How long clients work and faults happen, milliseconds. */
  readonly chaosMs: number
  readonly clientCount: number
  readonly thinkMs: number
  /** Characters of a job's input beyond what it needs: batches of several blocks are torn in more ways. */
  readonly inputChars: number
  /** A `forEach` has fewer items than this. */
  readonly itemsMax: number
  readonly recordKeyCount: number
  readonly idempotencyKeyCount: number
  readonly weights: OperationWeights
  readonly behaviours: readonly BehaviourKind[]
  readonly undoMayFail: boolean
  /** Clients read the machine's wall clock to say when a job may or must start, and may read it wrong. */
  readonly wallTimes: boolean
  /** Chance that a submission wants its job removed soon after its end. */
  readonly hasty: number
  /** Chance that a submission says by when it must have arrived. */
  readonly hurry: number
  /** Chance that a handler's end is reported twice. */
  readonly duplicateReports: number
  readonly wallErrorMs: number
  /** How fast the machine's wall clock runs, 1: as true time. */
  readonly wallRate: number
  readonly faultKinds: readonly FaultKind[]
  readonly faultCount: number
  /** Whether a bit of the log rots at the end. */
  readonly bitRots: boolean
  /** How often a bit of its closed segments rots under the running node. */
  readonly logRots: number
  /** How often one rots in them while the node is down. */
  readonly coldRots: number
  /** How slowly the log is verified in the background. */
  readonly logScrub: ScrubPauses
  /** How often the disk or the ledger thread hangs for longer than the node waits without a word. */
  readonly hangs: number
  /** How long a client waits for an answer, milliseconds; then its outcome is unknown. 0: for ever. */
  readonly patienceMs: number
}

/** How often clients do what, relative to each other; 0: never in this run. */
export interface OperationWeights {
  readonly submit: number
  readonly batch: number
  readonly cancel: number
  readonly retry: number
  readonly deleteJob: number
  readonly skip: number
  readonly fail: number
  readonly resubmit: number
  readonly bulk: number
  readonly putRecord: number
  readonly deleteRecord: number
  readonly getRecord: number
  readonly listRecords: number
  readonly getJob: number
}

export const SERVICES = ['work.a', 'work.b', 'work.c'] as const
/** Also a plain service, used to undo the others. */
export const UNDO_SERVICE = 'work.undo'

/** A node that has lost its state may have to refuse to start, which ends a run early. */
const RARE_FAULTS: ReadonlySet<FaultKind> = new Set(['wipe-state', 'damage-row'])

const ALL_BEHAVIOURS: readonly BehaviourKind[] = [
  'fail',
  'give-up',
  'flaky',
  'hang',
  'deaf',
  'fail-late',
  'finish-anyway',
  'cut-off',
]

/** Kinds that seeds draw last: what they drew before is the same with and without them. */
const LATE_FAULTS: readonly FaultKind[] = ['power-cut-in-recovery']
/** Drawn apart from all others (`logRots`, `coldRots`, `hangs`): with them among them every schedule would be another. */
const OWN_FAULTS: readonly FaultKind[] = [
  'rot-closed-segment',
  'rot-cold-segment',
  'disk-hang',
  'ledger-hang',
]
const EARLY_FAULTS = FAULT_KINDS.filter(
  (kind) => !LATE_FAULTS.includes(kind) && !OWN_FAULTS.includes(kind),
)

export function drawOptions(seed: number): SimOptions {
  const prng = new Prng(seed).fork('options')
  const first = drawFirst(seed, prng)
  const drawn = drawLater(first, prng)
  const operated = { ...drawn, ...(prng.chance(0.4) ? drawOperators(drawn) : {}) }
  const resubmit = prng.chance(0.4) ? prng.pick([1, 4]) : 0
  const bulk = prng.chance(0.3) ? prng.pick([1, 4]) : 0
  const crowd = drawCrowd(new Prng(seed).fork('crowd'))
  const rot = drawLogRot(new Prng(seed).fork('log rot'))
  const cold = drawColdRot(new Prng(seed).fork('cold rot'))
  const rots = rot.logRots !== undefined || cold.coldRots !== undefined
  const hang = rots ? {} : drawHangs(new Prng(seed).fork('hangs'), operated)
  return {
    ...operated,
    weights: { ...operated.weights, resubmit, bulk },
    ...crowd,
    ...rot,
    ...cold,
    ...hang,
  }
}

/** Some runs: much waits for few slots, so that it shows who is let in first. */
function drawCrowd(prng: Prng): Partial<SimOptions> {
  if (!prng.chance(0.12)) return {}
  return {
    arcCount: prng.pick([1, 2, 4]),
    totalSlots: prng.pick([1, 1, 2]),
    chaosMs: 5_000,
    clientCount: 6,
    thinkMs: 20,
    itemsMax: 24,
  }
}

function drawLater(first: SimOptions, prng: Prng): SimOptions {
  return {
    ...first,
    flush: prng.chance(0.3) ? { ...first.flush, ...drawSeldomFlush(prng) } : first.flush,
    faultKinds: [...first.faultKinds, ...LATE_FAULTS.filter(() => prng.chance(0.35))],
    ...(prng.chance(0.12) ? drawTornTails(prng) : {}),
    ...(prng.chance(0.4) ? drawRemovals(first, prng) : {}),
  }
}

/** Jobs go: by hand, and by themselves soon after their end. */
function drawRemovals({ weights }: SimOptions, prng: Prng): Partial<SimOptions> {
  return { hasty: prng.pick([0, 0.3]), weights: { ...weights, deleteJob: prng.pick([1, 3]) } }
}

/** Much cannot be undone, and operators end it, or try again. */
function drawOperators({ weights }: SimOptions): Partial<SimOptions> {
  return { undoMayFail: true, weights: { ...weights, fail: 5, retry: 3 } }
}

/** Large batches and small ones, torn again and again: segments must have room for many of them. */
function drawTornTails(prng: Prng): Partial<SimOptions> {
  return {
    segmentBytes: 1024 * 1024,
    inputChars: prng.pick([4_000, 12_000]),
    clientCount: prng.between(3, 5),
    faultKinds: ['power-cut-in-recovery'],
    faultCount: 15,
  }
}

function drawFirst(seed: number, prng: Prng): SimOptions {
  const linkMaxMs = prng.pick([0.05, 0.2, 2, 30])
  const chaosMs = prng.pick([5_000, 15_000, 40_000])
  return {
    seed,
    arcCount: prng.pick([1, 1, 2, 4, 8, 16]),
    slots: drawSlots(prng),
    totalSlots: prng.pick([1, 2, 4, 8]),
    capacity: drawCapacity(new Prng(seed).fork('capacity')),
    refusals: new Prng(seed).fork('refusals').chance(0.25),
    logChars: new Prng(seed).fork('logs').pick([0, 100, 1_000]),
    linkDelay: { minMs: linkMaxMs / 10, maxMs: linkMaxMs },
    segmentBytes: prng.pick([64, 128, 256, 1024]) * 1024,
    retainBytes: prng.pick([0, 64, 512]) * 1024,
    flush: drawFlush(prng),
    chaosMs,
    clientCount: prng.between(1, 5),
    thinkMs: prng.pick([5, 50, 300]) + chaosMs / 200,
    inputChars: 0,
    itemsMax: 8,
    recordKeyCount: prng.between(1, 4),
    idempotencyKeyCount: prng.pick([3, 20, 1_000]),
    weights: drawWeights(prng),
    behaviours: ALL_BEHAVIOURS.filter(() => prng.chance(0.5)),
    undoMayFail: prng.chance(0.5),
    wallTimes: true,
    hasty: 0,
    hurry: prng.pick([0, 0, 0.3]),
    duplicateReports: prng.pick([0, 0, 0, 0.1]),
    wallErrorMs: prng.pick([0, 0, 400, -400]),
    wallRate: 1,
    faultKinds: EARLY_FAULTS.filter((kind) => prng.chance(RARE_FAULTS.has(kind) ? 0.1 : 0.35)),
    faultCount: prng.pick([0, 2, 6, 15]),
    bitRots: prng.chance(0.5),
    logRots: 0,
    coldRots: 0,
    logScrub: scrubPauses(300, 20, 15_000),
    hangs: 0,
    patienceMs: 0,
  }
}

/**
 * Clients that wait for ever would see nothing of a node that stands still. What piles up behind it may
 * be more than a batch that fits into the smallest segments, or those of a log that is to rot.
 */
function drawHangs(prng: Prng, drawn: Pick<SimOptions, 'segmentBytes'>): Partial<SimOptions> {
  if (prng.chance(0.9)) return {}
  const segmentBytes = Math.max(drawn.segmentBytes, 256 * 1024)
  const hangs = prng.between(1, 2)
  return { hangs, segmentBytes, patienceMs: 3_000, clientCount: 4, thinkMs: 100 }
}

/** A log of many small segments rots, and is verified quickly: before the node is down again. */
function drawLogRot(prng: Prng): Partial<SimOptions> {
  if (prng.chance(0.85)) return {}
  return {
    logRots: prng.between(1, 3),
    logScrub: scrubPauses(prng.pick([1, 300]), prng.pick([1, 20]), 500),
    segmentBytes: 64 * 1024,
    retainBytes: 512 * 1024,
    inputChars: prng.pick([500, 4_000]),
  }
}

/**
 * A log of many small segments rots while the node is down. What the state lacks then, after a power
 * cut most of all, must stop the node; what it holds must not.
 */
function drawColdRot(prng: Prng): Partial<SimOptions> {
  if (prng.chance(0.9)) return {}
  return {
    coldRots: prng.between(1, 3),
    segmentBytes: 64 * 1024,
    retainBytes: 2048 * 1024,
    inputChars: prng.pick([500, 4_000]),
  }
}

function scrubPauses(firstAfterMs: number, restMs: number, passRestMs: number): ScrubPauses {
  return {
    firstAfterMs,
    restTimes: 1,
    restMsMin: restMs,
    passRestTimes: 1,
    passRestMsMin: passRestMs,
    passRestMsMax: passRestMs,
  }
}

function drawFlush(prng: Prng): FlushPolicy {
  const everyMs = prng.pick([5, 50, 1_000])
  const sliceRows = prng.pick([1, 20, 2_000])
  const maxDirtyRows = prng.pick([10, 200, 50_000])
  const checkpointRows = prng.pick([1, 100, 2_000])
  // A row of the workload is some hundred characters.
  return {
    everyMs,
    sliceRows,
    maxDirtyRows,
    maxDirtyChars: maxDirtyRows * 300,
    checkpointRows,
    checkpointChars: checkpointRows * 300,
    idleCheckpointMs: everyMs * 10,
  }
}

/**
 * Rows stay in memory while several segments of the log are written, and what was flushed before is
 * checkpointed meanwhile: the log may forget up to there, and not up to what was applied.
 */
function drawSeldomFlush(prng: Prng): Partial<FlushPolicy> {
  const everyMs = prng.pick([3_000, 20_000])
  const idleCheckpointMs = everyMs / prng.pick([2, 10])
  return { everyMs, idleCheckpointMs, maxDirtyRows: 50_000, maxDirtyChars: 15_000_000 }
}

function drawSlots(prng: Prng): Record<string, number> {
  const slots: Record<string, number> = {}
  for (const service of [...SERVICES, UNDO_SERVICE]) slots[service] = prng.pick([1, 2, 4, 8])
  return slots
}

/** Each service fits, alone: what never does waits for ever, and a run must come to rest. */
function drawCapacity(prng: Prng): CapacityOffer | null {
  if (prng.chance(0.5)) return null
  const has = { cpu: prng.pick([1_000, 2_500, 4_000]), gpu: prng.pick([1_000, 3_000]) }
  const takes: Record<string, Record<string, number>> = {}
  for (const service of [...SERVICES, UNDO_SERVICE]) {
    takes[service] = {
      cpu: prng.pick([0, 300, has.cpu, Math.floor(has.cpu / 2)]),
      gpu: prng.pick([0, 0, has.gpu]),
    }
  }
  return { has, takes }
}

function drawWeights(prng: Prng): OperationWeights {
  const weight = (usual: number): number => (prng.chance(0.25) ? 0 : usual)
  return {
    submit: 10,
    batch: weight(1),
    cancel: weight(3),
    retry: weight(2),
    deleteJob: 0,
    skip: weight(1),
    fail: 0,
    resubmit: 0,
    bulk: 0,
    putRecord: weight(4),
    deleteRecord: weight(1),
    getRecord: weight(3),
    listRecords: weight(1),
    getJob: weight(3),
  }
}
