import { Queue, UnrecoverableError, Worker } from 'bullmq'
import { sharedNow } from '../pacing.js'
import type { Payload } from '../payload.js'
import { answer } from '../role.js'
import { IN_FLIGHT, type WorkloadName } from '../workloads.js'
import { connectionOf, NOOP_QUEUE, REMOVE_FINISHED, SAGA_QUEUE } from './queues.js'

const connection = connectionOf(process.env['GYRE_BENCH_REDIS'])
const options = { connection, concurrency: IN_FLIGHT }
const chain = new Queue(SAGA_QUEUE, { connection })

interface SagaData extends Payload {
  readonly fails: boolean
  /** Of the whole saga: the IDs of its jobs begin with it. */
  readonly saga: string
}

let done = 0
let wanted: { readonly count: number; tell(at: number): void } | undefined

answer(async (question) => {
  if (question.ask === 'work') return await work(question.workload)
  if (question.ask !== 'wait') throw new Error(`a worker is not asked to ${question.ask}`)
  const { count } = question
  return await new Promise<number>((tell) => {
    wanted = { count, tell }
    settle()
  })
})

async function work(workload: WorkloadName): Promise<null> {
  const worker =
    workload === 'w3'
      ? new Worker<SagaData>(SAGA_QUEUE, async ({ name, data }) => runStep(name, data), options)
      : new Worker(NOOP_QUEUE, async () => ({ startedAt: sharedNow() }), options)
  if (workload !== 'w3') worker.on('completed', count)
  await worker.waitUntilReady()
  return null
}

/** Each step is a job of its own, which enqueues the next one: BullMQ has no steps. */
async function runStep(name: string, data: SagaData): Promise<void> {
  switch (name) {
    case 'first':
      return await next('second', data)
    case 'second':
      return await next('third', data)
    case 'third':
      if (!data.fails) return count()
      await next('undo-second', data)
      throw new UnrecoverableError('declined')
    case 'undo-second':
      return await next('undo-first', data)
    default:
      count()
  }
}

/** The derived ID makes a repeat add nothing. */
async function next(name: string, data: SagaData): Promise<void> {
  await chain.add(name, data, { jobId: `${data.saga}-${name}`, attempts: 3, ...REMOVE_FINISHED })
}

function count(): void {
  done += 1
  settle()
}

function settle(): void {
  if (wanted === undefined || done < wanted.count) return
  done -= wanted.count
  wanted.tell(sharedNow())
  wanted = undefined
}
