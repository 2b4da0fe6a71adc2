import type { FastifyReply, FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EngineStatus } from '../protocol/node/messages.js'
import type { NodeClient } from '../runtime/node-client.js'
import type { EventStreams } from './event-streams.js'
import type { JobWaits } from './job-waits.js'
import { type LoopDelays, loopDelayText } from './loop-delays.js'
import { JOB_STATUSES } from '../base/job-statuses.js'
import { inTime, statusInTime } from './status-in-time.js'

/**
 * Everything that Prometheus sees, and the only file that knows its client library. Labels are
 * bounded: route patterns, known statuses, services; never an ID.
 */

const LATENCY_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 60]

export interface MetricsOptions {
  readonly client: NodeClient
  readonly waits: JobWaits
  readonly streams: EventStreams
  readonly bodiesInFlightBytes: () => number
  readonly loopDelays: () => LoopDelays
  readonly unreadBytes: () => number
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #options: MetricsOptions
  readonly #requests: Counter<'method' | 'route' | 'status'>
  readonly #latency: Histogram<'method' | 'route'>
  readonly #jobs: Gauge<'status'>
  readonly #ready: Gauge<'service'>
  readonly #running: Gauge<'service'>
  readonly #blocked: Counter<'service'>
  readonly #capacity: Gauge<'unit'>
  readonly #taken: Gauge<'unit'>
  readonly #gauges = new Map<string, Gauge>()
  readonly #counters = new Map<string, Counter>()
  readonly #counted = new Map<string, number>()

  constructor(options: MetricsOptions) {
    this.#options = options
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, prefix: 'gyre_' })
    this.#requests = new Counter({
      name: 'gyre_http_requests_total',
      help: 'HTTP requests answered.',
      labelNames: ['method', 'route', 'status'],
      registers,
    })
    this.#latency = new Histogram({
      name: 'gyre_http_request_duration_seconds',
      help: 'Time from the head of a request to its whole answer, waits included.',
      labelNames: ['method', 'route'],
      buckets: LATENCY_BUCKETS_SECONDS,
      registers,
    })
    this.#jobs = new Gauge({
      name: 'gyre_jobs',
      help: 'Jobs in the ledger by status.',
      labelNames: ['status'],
      registers,
    })
    for (const status of JOB_STATUSES) this.#jobs.set({ status }, 0)
    this.#ready = new Gauge({
      name: 'gyre_ready_tasks',
      help: 'Tasks that wait for a free slot of their service.',
      labelNames: ['service'],
      registers,
    })
    this.#running = new Gauge({
      name: 'gyre_service_running_attempts',
      help: 'Attempts that run here, by service.',
      labelNames: ['service'],
      registers,
    })
    this.#blocked = new Counter({
      name: 'gyre_handler_blocked_total',
      help: 'How often handlers have kept the shared services thread from turning for a second.',
      labelNames: ['service'],
      registers,
    })
    this.#capacity = new Gauge({
      name: 'gyre_capacity',
      help: 'What the node has for its attempts: cores, MiB, or units of its own.',
      labelNames: ['unit'],
      registers,
    })
    this.#taken = new Gauge({
      name: 'gyre_capacity_taken',
      help: 'What of it the running attempts take.',
      labelNames: ['unit'],
      registers,
    })
    this.#describeNode()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  countRequest(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')
    const { method } = request
    this.#requests.inc({ method, route, status: reply.statusCode })
    this.#latency.observe({ method, route }, reply.elapsedTime / 1000)
  }

  /** Prometheus text. What the node does not say in time is left as it was. */
  async render(): Promise<string> {
    const { client, waits, streams, bodiesInFlightBytes, unreadBytes } = this.#options
    this.#set('gyre_http_waits', 'Requests that wait for a job to end.', waits.count)
    this.#set('gyre_http_event_streams', 'Timelines that are followed live.', streams.count)
    this.#set(
      'gyre_http_bodies_in_flight_bytes',
      'Memory reserved for request bodies.',
      bodiesInFlightBytes(),
    )
    this.#set('gyre_http_unread_bytes', 'Answers that clients have not read yet.', unreadBytes())
    this.#set('gyre_plugin_failures', 'Plugins that did not load.', client.offers.failures.length)
    await Promise.all([this.#takeStatus(), this.#takeCounts()])
    return (await this.#registry.metrics()) + loopDelayText(this.#options.loopDelays())
  }

  async #takeStatus(): Promise<void> {
    const status = await statusInTime(this.#options.client)
    this.#set('gyre_serving', '1 when the node serves.', status?.serving === true ? 1 : 0)
    if (status === null) return
    this.#takeServices(status.services)
    this.#takeResources(status.resources)
    this.#set('gyre_running_attempts', 'Attempts that run here.', status.runningAttempts)
    this.#set('gyre_pending_proposals', 'Commands that wait for the log.', status.pendingProposals)
    const unapplied = status.arcs.map(([, , , committed, applied]) => committed - applied)
    this.#set(
      'gyre_unapplied_entries',
      'Entries committed and not applied yet.',
      unapplied.reduce((sum, count) => sum + count, 0),
    )
    this.#count('gyre_log_syncs_total', 'Syncs of the log.', status.syncs)
    this.#count('gyre_log_written_bytes_total', 'Bytes written to the log.', status.bytesWritten)
    this.#takeLogScrub(status.logScrub)
    const { rows, passes } = status.scrub
    this.#count('gyre_state_scrubbed_rows_total', 'Rows of the state store verified at rest.', rows)
    this.#count('gyre_state_scrub_passes_total', 'Passes over the whole state store.', passes)
  }

  #takeLogScrub(scrub: EngineStatus['logScrub']): void {
    const { segments, bytes, passes, lastPassAt, damaged, givenUp } = scrub
    this.#count('gyre_log_scrubbed_bytes_total', 'Bytes of the log verified at rest.', bytes)
    this.#count(
      'gyre_log_scrubbed_segments_total',
      'Segments of the log verified at rest.',
      segments,
    )
    this.#count('gyre_log_scrub_passes_total', 'Passes over all closed segments.', passes)
    this.#set(
      'gyre_log_scrub_last_pass_timestamp_seconds',
      'When the last such pass ended, seconds since 1970; 0: none has.',
      (lastPassAt ?? 0) / 1000,
    )
    this.#set('gyre_log_damaged_segments', 'Damaged segments that are still needed.', damaged)
    this.#count('gyre_log_segments_given_up_total', 'Damaged segments given up.', givenUp)
  }

  #takeServices(services: EngineStatus['services']): void {
    this.#running.reset()
    this.#blocked.reset()
    for (const [service, { running, blocked }] of Object.entries(services)) {
      this.#running.set({ service }, running)
      this.#blocked.inc({ service }, blocked)
    }
  }

  /** Units are those that the node was given: a set that only its operator changes. */
  #takeResources(resources: EngineStatus['resources']): void {
    for (const [unit, { has, used }] of Object.entries(resources)) {
      this.#capacity.set({ unit }, has)
      this.#taken.set({ unit }, used)
    }
  }

  async #takeCounts(): Promise<void> {
    const answer = await inTime(this.#options.client.queryAll({ kind: 'counts' }))
    if (answer?.ok !== true) return
    const { bodies }: { bodies: readonly Counts[] } = JSON.parse(answer.body ?? '{"bodies":[]}')
    const jobs = new Map(JOB_STATUSES.map((status) => [status, 0]))
    const ready = new Map<string, number>()
    for (const counts of bodies) {
      addTo(jobs, counts.jobs)
      addTo(ready, counts.ready)
    }
    for (const [status, count] of jobs) this.#jobs.set({ status }, count)
    this.#ready.reset()
    for (const [service, count] of ready) this.#ready.set({ service }, count)
  }

  #describeNode(): void {
    const { name, version } = this.#options.client.identity
    new Gauge({
      name: 'gyre_node_info',
      help: 'Always 1; its labels describe the node.',
      labelNames: ['name', 'version'],
      registers: [this.#registry],
    }).set({ name, version }, 1)
  }

  #set(name: string, help: string, value: number): void {
    let gauge = this.#gauges.get(name)
    if (gauge === undefined) {
      gauge = new Gauge({ name, help, registers: [this.#registry] })
      this.#gauges.set(name, gauge)
    }
    gauge.set(value)
  }

  /** Takes over a total that the node counts itself. */
  #count(name: string, help: string, total: number): void {
    let counter = this.#counters.get(name)
    if (counter === undefined) {
      counter = new Counter({ name, help, registers: [this.#registry] })
      this.#counters.set(name, counter)
    }
    counter.inc(Math.max(0, total - (this.#counted.get(name) ?? 0)))
    this.#counted.set(name, total)
  }
}

interface Counts {
  readonly jobs: Readonly<Record<string, number>>
  readonly ready: Readonly<Record<string, number>>
}

function addTo(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count)
}
