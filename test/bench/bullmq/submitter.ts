import { Queue, QueueEvents } from 'bullmq'
import { atRate, inFlight, sharedNow } from '../pacing.js'
import { failsInSaga, payload } from '../payload.js'
import { answer } from '../role.js'
import {
  BATCH_JOBS,
  BATCHES_IN_FLIGHT,
  IN_FLIGHT,
  PACED_PER_SECOND,
  type Run,
} from '../workloads.js'
import { connectionOf, NOOP_QUEUE, REMOVE_FINISHED, SAGA_QUEUE } from './queues.js'

const connection = connectionOf(process.env['GYRE_BENCH_REDIS'])
const noops = new Queue(NOOP_QUEUE, { connection })
const sagas = new Queue(SAGA_QUEUE, { connection })
const events = new QueueEvents(NOOP_QUEUE, { connection })

// One listener for each job that is waited for.
noops.setMaxListeners(0)
events.setMaxListeners(0)

/** Kept so that the one who waits can read the result. */
const KEEP_SOME = { removeOnComplete: { count: 1000 } }

/** Of this process and run, for IDs that were never used before. */
let sagaCount = 0

answer(async (question) => {
  await events.waitUntilReady()
  if (question.ask === 'fill') return await fill(question.size)
  if (question.ask !== 'run')
    throw new Error(`a submitter of BullMQ is not asked to ${question.ask}`)
  const { workload, size } = question
  switch (workload) {
    case 'w1':
      return await timed(size, () =>
        inFlight(size, IN_FLIGHT, (n) => noops.add(NOOP_QUEUE, payload(n), REMOVE_FINISHED)),
      )
    case 'w1-batch':
      return await timed(size, () => addBulk(size))
    case 'w2':
      return await paced(size)
    case 'w3':
      return await timed(size, () => inFlight(size, IN_FLIGHT, addSaga))
    default:
      throw new Error(`BullMQ does not do ${workload}`)
  }
})

async function fill(size: number): Promise<number> {
  const { seconds } = await timed(size, () => addBulk(size))
  return seconds
}

function addBulk(size: number): Promise<number[]> {
  return inFlight(Math.ceil(size / BATCH_JOBS), BATCHES_IN_FLIGHT, (n) => {
    const count = Math.min(BATCH_JOBS, size - n * BATCH_JOBS)
    const jobs = Array.from({ length: count }, (_, i) => {
      return { name: NOOP_QUEUE, data: payload(n * BATCH_JOBS + i), opts: REMOVE_FINISHED }
    })
    return noops.addBulk(jobs)
  })
}

async function addSaga(n: number): Promise<void> {
  sagaCount += 1
  const saga = `${process.pid}-${sagaCount}`
  const data = { ...payload(n), fails: failsInSaga(n), saga }
  await sagas.add('first', data, { attempts: 3, ...REMOVE_FINISHED })
}

async function paced(size: number): Promise<Run> {
  const starts: number[] = []
  const run = await timed(size, () =>
    atRate(size, PACED_PER_SECOND, async (n) => {
      const input = payload(n)
      const job = await noops.add(NOOP_QUEUE, input, KEEP_SOME)
      const { startedAt } = await job.waitUntilFinished(events)
      starts.push(startedAt - input.submittedAt)
      return sharedNow() - input.submittedAt
    }),
  )
  return { ...run, starts }
}

/** The time of the submissions alone; the worker says when the last of them is done. */
async function timed(size: number, work: () => Promise<readonly number[]>): Promise<Run> {
  const begun = performance.now()
  const latencies = await work()
  return { operations: size, seconds: (performance.now() - begun) / 1000, latencies }
}
