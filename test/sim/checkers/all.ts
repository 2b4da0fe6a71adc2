import type { Checker } from '../observation.js'
import { DurableText } from '../durable-text.js'
import { mayHaveForgotten } from '../log-growth.js'
import { makeReference, rowsAsText } from '../reference-ledger.js'
import type { SimOptions } from '../swarm.js'
import type { World } from '../world.js'
import { AcknowledgedKept } from './acknowledged-kept.js'
import { AnsweredOnce } from './answered-once.js'
import { ArcTime } from './arc-time.js'
import { AtRest } from './at-rest.js'
import { AttemptsRise } from './attempts-rise.js'
import { BestFirst } from './best-first.js'
import { BulkOnce } from './bulk-once.js'
import { CommittedEntries } from './committed-entries.js'
import { CompensationComplete } from './compensation-complete.js'
import { CompensationOrder } from './compensation-order.js'
import { ConcurrencyKept } from './concurrency-kept.js'
import { ConditionsKept } from './conditions-kept.js'
import { DurablePromise } from './durable-promise.js'
import { FailureSteps } from './failure-steps.js'
import { FinalStays } from './final-stays.js'
import { GaveUpForAReason } from './gave-up-for-a-reason.js'
import { HandlersCounted } from './handlers-counted.js'
import { InItsTime } from './in-its-time.js'
import { LateReports } from './late-reports.js'
import { MemosHonest } from './memos-honest.js'
import { NotAfterKept } from './not-after-kept.js'
import { NeedsFirst } from './needs-first.js'
import { NoOverlap } from './no-overlap.js'
import { OneJobPerKey } from './one-job-per-key.js'
import { OutputsFlow } from './outputs-flow.js'
import { RecordsLinearizable } from './records-linearizable.js'
import { RefusalsTold } from './refusals-told.js'
import { ReplayEquals } from './replay-equals.js'
import { RestSurvives } from './rest-survives.js'
import { RetriesBounded } from './retries-bounded.js'
import { SlotsKept } from './slots-kept.js'
import { StallsTold } from './stalls-told.js'
import { TakenOver } from './taken-over.js'
import { TimesKept } from './times-kept.js'

/** One of each, for one run. */
export function makeCheckers(world: World, options: SimOptions): Checker[] {
  const durable = new DurableText(world.files)
  const imageOf = (arc: number): ReturnType<typeof rowsAsText> =>
    rowsAsText(world.life?.overlay ?? null, arc)
  return [
    new CommittedEntries(),
    new DurablePromise((text) => durable.holds(text)),
    new AcknowledgedKept(),
    new OneJobPerKey(),
    new AttemptsRise(),
    new LateReports(),
    new NoOverlap(),
    new NotAfterKept(),
    new SlotsKept(),
    new StallsTold(),
    new ConcurrencyKept(),
    new BestFirst(),
    new TimesKept(),
    new ArcTime(),
    new RetriesBounded(),
    new InItsTime(),
    new NeedsFirst(),
    new ConditionsKept(),
    new FailureSteps(),
    new MemosHonest(),
    new OutputsFlow(),
    new TakenOver(),
    new BulkOnce(options.arcCount),
    new CompensationOrder(),
    new CompensationComplete(),
    new FinalStays(),
    new AnsweredOnce(),
    new RecordsLinearizable(),
    new HandlersCounted(),
    new RefusalsTold(),
    new ReplayEquals(makeReference(options.arcCount), imageOf),
    new GaveUpForAReason((wasShort) => {
      const retainBytes = wasShort ? 0 : options.retainBytes
      return mayHaveForgotten(world.files, { segmentBytes: options.segmentBytes, retainBytes })
    }),
    new AtRest(),
    new RestSurvives(),
  ]
}
