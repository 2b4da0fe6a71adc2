import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Reply } from '../protocol/ledger/outcome.js'
import type { NodeClient } from '../runtime/node-client.js'
import {
  EVENT_PAGE_EVENTS,
  EVENT_STREAM_HEARTBEAT_MS,
  EVENT_STREAM_PATIENCE_MS,
  EVENT_STREAMS_MAX,
} from './limits.js'

/** A page of a job's timeline as the ledger tells it. */
export interface EventsPage {
  readonly items: readonly { readonly seq: number }[]
  readonly more: boolean
  /** Nothing follows the last event. */
  readonly ended: boolean
  /** How often running attempts have told something, and what is known of it now. */
  readonly notes?: number
  readonly activity?: object
}

export interface StreamOptions {
  /** The job. */
  readonly id: string
  /** Events behind this `seq` are told. */
  readonly after: number
  /** The first of them, which have been read already. */
  readonly first: EventsPage
  /** Aborted when the client goes away. */
  readonly gone: AbortSignal
}

export interface Patience {
  /** Silence after which a comment shows both ends that the other is there, ms. */
  readonly heartbeatMs: number
  /** How long a client may read nothing, ms. */
  readonly readerMs: number
}

const PATIENCE: Patience = {
  heartbeatMs: EVENT_STREAM_HEARTBEAT_MS,
  readerMs: EVENT_STREAM_PATIENCE_MS,
}

/** How soon an event source whose stream has broken comes back, ms. */
const RETRY_MS = 1000

/**
 * Timelines that are followed live over server-sent events. A client that comes back names the last
 * event that it has (`Last-Event-ID`): events are numbered in the ledger, so none is lost or told
 * twice, also over a restart of the node.
 *
 * Between them stands what running attempts tell, as events named `activity`.
 *
 * Each stream asks for the next page only when its client has read the one before. So what waits for a
 * slow client is in the ledger and not in memory; one that reads nothing for long is cut off.
 */
export class EventStreams {
  readonly #client: Pick<NodeClient, 'followJob'>
  readonly #patience: Patience
  readonly #open = new Set<AbortController>()
  #stopped = false

  constructor(client: Pick<NodeClient, 'followJob'>, patience: Patience = PATIENCE) {
    this.#client = client
    this.#patience = patience
  }

  get isFull(): boolean {
    return this.#open.size >= EVENT_STREAMS_MAX
  }

  /** True: none is opened any more, because the node stops. */
  get isStopped(): boolean {
    return this.#stopped
  }

  get count(): number {
    return this.#open.size
  }

  /** The text of a stream; it ends behind the job's last event, or when the node stops. */
  open(options: StreamOptions): Readable {
    const stop = new AbortController()
    this.#open.add(stop)
    const signal = AbortSignal.any([options.gone, stop.signal])
    const stream = Readable.from(this.#texts(options, signal), { highWaterMark: 1 })
    stream.once('close', () => {
      this.#open.delete(stop)
      stop.abort()
    })
    const cut = (): unknown => stream.destroy(new Error('the client reads nothing'))
    watchReader(stream, { forMs: this.#patience.readerMs, cut })
    return stream
  }

  /** Every stream ends here; clients go on at another node, or at this one when it is back. */
  stop(): void {
    this.#stopped = true
    for (const stop of this.#open) stop.abort()
  }

  async *#texts(options: StreamOptions, signal: AbortSignal): AsyncGenerator<string> {
    let { after, first: page } = options
    let notes = 0
    yield `retry: ${RETRY_MS}\n\n`
    for (;;) {
      const told = page.items.map(eventText).join('') + activityText(page, notes)
      if (told !== '') yield told
      after = page.items.at(-1)?.seq ?? after
      notes = page.notes ?? notes
      if ((page.ended && !page.more) || signal.aborted) return
      const next = yield* this.#nextPage(options.id, { after, notes }, signal)
      if (next === null) return
      page = next
    }
  }

  /** Tells heartbeats until there is news. @returns null when there will be none here */
  async *#nextPage(
    id: string,
    known: { readonly after: number; readonly notes: number },
    signal: AbortSignal,
  ): AsyncGenerator<string, EventsPage | null> {
    const watch = this.#client.followJob(id, { ...known, limit: EVENT_PAGE_EVENTS })
    try {
      for (;;) {
        const told = await unlessSilent(watch.reply, this.#patience.heartbeatMs, signal)
        if (told === 'gone') return null
        if (told !== 'silence') return told.ok ? JSON.parse(told.body ?? '{}') : null
        yield ': nothing new\n\n'
      }
    } finally {
      watch.cancel()
    }
  }
}

function eventText(event: { readonly seq: number }): string {
  return `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`
}

/** What running attempts told: no event of the timeline, so it has no `id` and is not told again. */
function activityText({ ended, notes = 0, activity }: EventsPage, known: number): string {
  if (ended || activity === undefined || notes <= known) return ''
  return `event: activity\ndata: ${JSON.stringify(activity)}\n\n`
}

async function unlessSilent(
  reply: Promise<Reply>,
  forMs: number,
  signal: AbortSignal,
): Promise<Reply | 'silence' | 'gone'> {
  const over = new AbortController()
  const either = AbortSignal.any([over.signal, signal])
  const silence = pause(forMs, 'silence' as const, { signal: either }).catch(() => 'gone' as const)
  try {
    return await Promise.race([reply, silence])
  } finally {
    over.abort()
  }
}

/** Calls `cut` when the stream has something to give and nobody takes it for a while. */
function watchReader(
  stream: Readable,
  { forMs, cut }: { readonly forMs: number; readonly cut: () => unknown },
): void {
  let timer: NodeJS.Timeout | undefined
  stream.on('pause', () => {
    clearTimeout(timer)
    timer = setTimeout(cut, forMs)
  })
  for (const event of ['resume', 'close'] as const) stream.on(event, () => clearTimeout(timer))
}
