import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LedgerFigures } from '../protocol/ledger/queries/figures.js'
import type { AttemptEnd } from '../protocol/ledger/task.js'
import type { EngineStatus } from '../protocol/node/messages.js'
import type { NodeClient } from '../runtime/node-client.js'
import { FINAL_STATUSES, JOB_STATUSES } from '../base/job-statuses.js'
import { ServiceLabels } from '../base/service-labels.js'
import { PROBLEM_CODES } from './error-mapping.js'
import type { EventStreams } from './event-streams.js'
import { HttpTally } from './http-tally.js'
import type { JobWaits } from './job-waits.js'
import { MetricsPage } from './metrics-page.js'
import type { NodeVitals } from './node-vitals.js'
import type { Problem } from './problem.js'
import { inTime, statusInTime } from './status-in-time.js'

export interface MetricsOptions {
  readonly client: NodeClient
  readonly waits: JobWaits
  readonly streams: EventStreams
  readonly bodiesInFlightBytes: () => number
  readonly unreadBytes: () => number
  /** Absent: nobody looks after the process. */
  readonly vitals?: (() => NodeVitals) | undefined
}

/**
 * Gathers what the parts of a node have counted and answers a scrape (core/docs/reference/metrics.md).
 * Nothing here is asked for between two scrapes but `countRequest` and `countProblem`.
 */
export class Metrics {
  readonly #options: MetricsOptions
  readonly #http = new HttpTally()
  readonly #labels = new ServiceLabels()
  /** As the engine and the ledger told last: what does not answer in time is shown as it was. */
  #status: EngineStatus | null = null
  #ledger: LedgerFigures | null = null

  constructor(options: MetricsOptions) {
    this.#options = options
  }

  countRequest(request: FastifyRequest, reply: FastifyReply): void {
    const route = request.routePattern === '' ? 'unknown' : request.routePattern
    this.#http.answered(request.method, route, reply.statusCode, reply.elapsedTime)
  }

  countProblem({ code }: Problem): void {
    this.#http.problem(code)
  }

  /** Prometheus text. */
  async render(): Promise<{ readonly type: string; readonly text: string }> {
    const { client } = this.#options
    const [status, ledger] = await Promise.all([statusInTime(client), this.#askLedger()])
    this.#status = status ?? this.#status
    this.#ledger = ledger ?? this.#ledger
    const page = new MetricsPage()
    page.put('gyre_serving', status?.serving === true ? 1 : 0)
    this.#putHttp(page)
    this.#putNode(page)
    if (this.#status !== null) this.#putEngine(page, this.#status)
    this.#putLedger(page, this.#ledger)
    return { type: page.contentType, text: await page.text() }
  }

  async #askLedger(): Promise<LedgerFigures | null> {
    const answer = await inTime(this.#options.client.queryAll({ kind: 'figures' }))
    return answer?.ok === true && answer.body !== undefined ? JSON.parse(answer.body) : null
  }

  #putHttp(page: MetricsPage): void {
    const { waits, streams, bodiesInFlightBytes, unreadBytes } = this.#options
    for (const { method, route, statuses, seconds } of this.#http.routes) {
      for (const [status, count] of statuses) {
        page.put('gyre_http_requests_total', count, { method, route, status })
      }
      page.putHistogram('gyre_http_request_duration_seconds', seconds, { method, route })
    }
    for (const code of PROBLEM_CODES) {
      page.put('gyre_http_problems_total', this.#http.problems(code), { code })
    }
    page.put('gyre_http_waits', waits.count)
    page.put('gyre_http_event_streams', streams.count)
    page.put('gyre_http_bodies_in_flight_bytes', bodiesInFlightBytes())
    page.put('gyre_http_unread_bytes', unreadBytes())
  }

  #putNode(page: MetricsPage): void {
    const { client, vitals } = this.#options
    const { name, version } = client.identity
    page.put('gyre_node_info', 1, { name, version })
    page.put('gyre_plugin_failures', client.offers.failures.length)
    if (vitals === undefined) return
    const { threads, process, folder } = vitals()
    for (const [thread, { loopDelay, heapUsed, heapTotal, external }] of Object.entries(threads)) {
      page.putHistogram('gyre_event_loop_delay_seconds', loopDelay, { thread })
      page.put('gyre_thread_heap_used_bytes', heapUsed, { thread })
      page.put('gyre_thread_heap_size_bytes', heapTotal, { thread })
      page.put('gyre_thread_external_bytes', external, { thread })
    }
    page.put('gyre_process_cpu_seconds_total', process.cpuUserSeconds, { mode: 'user' })
    page.put('gyre_process_cpu_seconds_total', process.cpuSystemSeconds, { mode: 'system' })
    page.put('gyre_process_resident_memory_bytes', process.residentBytes)
    page.put('gyre_process_start_time_seconds', process.startedAt)
    if (process.openFiles !== null) page.put('gyre_process_open_fds', process.openFiles)
    page.put('gyre_log_size_bytes', folder.log)
    page.put('gyre_state_size_bytes', folder.state)
    page.put('gyre_state_wal_size_bytes', folder.stateWal)
    if (folder.free !== null) page.put('gyre_disk_free_bytes', folder.free)
  }

  #putEngine(page: MetricsPage, status: EngineStatus): void {
    this.#putServices(page, status.services)
    for (const [unit, { has, used }] of Object.entries(status.resources)) {
      page.put('gyre_capacity', has, { unit })
      page.put('gyre_capacity_taken', used, { unit })
    }
    page.put('gyre_running_attempts', status.runningAttempts)
    page.put('gyre_pending_proposals', status.pendingProposals)
    let unapplied = 0
    for (const [, , , committed, applied] of status.arcs) unapplied += committed - applied
    page.put('gyre_unapplied_entries', unapplied)
    const { refusals, batchCommands, syncSeconds, commitSeconds } = status.figures
    for (const [code, count] of Object.entries(refusals)) {
      page.put('gyre_refusals_total', count, { code })
    }
    page.putHistogram('gyre_log_batch_commands', batchCommands)
    page.putHistogram('gyre_log_sync_duration_seconds', syncSeconds)
    page.putHistogram('gyre_commit_duration_seconds', commitSeconds)
    page.put('gyre_log_syncs_total', status.syncs)
    page.put('gyre_log_written_bytes_total', status.bytesWritten)
    putStalls(page, status)
    putScrubs(page, status)
  }

  /** Of services that share the label `other`: sums, and the oldest of all. */
  #putServices(page: MetricsPage, services: EngineStatus['services']): void {
    const oldest = new Map<string, number>()
    for (const [name, load] of Object.entries(services)) {
      const service = this.#labels.of(name)
      page.put('gyre_service_running_attempts', load.running, { service })
      page.put('gyre_credits_granted', load.granted, { service })
      page.put('gyre_credits_free', load.free, { service })
      page.put('gyre_handler_blocked_total', load.blocked, { service })
      page.put('gyre_ready_tasks', 0, { service })
      for (const outcome of ATTEMPT_ENDS) page.put('gyre_attempts_total', 0, { service, outcome })
      oldest.set(service, Math.max(oldest.get(service) ?? 0, load.oldestMs))
    }
    for (const [service, ms] of oldest) {
      page.put('gyre_oldest_waiting_seconds', ms / 1000, { service })
    }
  }

  /** Before the ledger has said anything, known statuses stand at 0 and nothing else. */
  #putLedger(page: MetricsPage, figures: LedgerFigures | null): void {
    for (const status of JOB_STATUSES) page.put('gyre_jobs', figures?.jobs[status] ?? 0, { status })
    for (const status of FINAL_STATUSES) {
      page.put('gyre_jobs_ended_total', figures?.tally.ended[status] ?? 0, { status })
    }
    if (figures === null) return
    const { jobs, ready, tally, overlay } = figures
    for (const [name, count] of Object.entries(ready)) {
      page.put('gyre_ready_tasks', count, { service: this.#labels.of(name) })
    }
    page.put('gyre_compensations_open', jobs['compensating'] ?? 0)
    page.put('gyre_jobs_submitted_total', tally.submitted)
    page.putHistogram('gyre_job_start_delay_seconds', tally.startSeconds)
    page.put('gyre_compensations_started_total', tally.compensationsStarted)
    for (const [outcome, count] of Object.entries(tally.undoneSteps)) {
      page.put('gyre_compensation_steps_total', count, { outcome })
    }
    this.#putAttempts(page, tally.services)
    page.put('gyre_overlay_dirty_rows', overlay.dirtyRows)
    page.put('gyre_overlay_known_rows', overlay.knownRows)
    page.put('gyre_overlay_known_bytes', overlay.knownChars)
  }

  /** The ledger has given out labels of its own: the two lists may differ, their sums do not. */
  #putAttempts(page: MetricsPage, services: LedgerFigures['tally']['services']): void {
    for (const [service, { ends, seconds }] of Object.entries(services)) {
      for (const outcome of ATTEMPT_ENDS) {
        page.put('gyre_attempts_total', ends[outcome] ?? 0, { service, outcome })
      }
      page.putHistogram('gyre_attempt_duration_seconds', seconds, { service })
    }
  }
}

/** Every way in which an attempt ends; the compiler knows when one is missing. */
const ATTEMPT_ENDS = Object.keys({
  succeeded: true,
  failed: true,
  timed_out: true,
  cancelled: true,
  lost: true,
  not_started: true,
} satisfies Record<AttemptEnd, true>) as AttemptEnd[]

function putStalls(page: MetricsPage, status: EngineStatus): void {
  const { stalledMs } = status
  page.put('gyre_arcs_stopped', status.stopped.length)
  page.put('gyre_log_stalled_seconds', stalledMs.log / 1000)
  page.put('gyre_state_stalled_seconds', stalledMs.state / 1000)
}

function putScrubs(page: MetricsPage, { logScrub, scrub }: EngineStatus): void {
  const { segments, bytes, passes, lastPassAt, damaged, givenUp } = logScrub
  page.put('gyre_log_scrubbed_bytes_total', bytes)
  page.put('gyre_log_scrubbed_segments_total', segments)
  page.put('gyre_log_scrub_passes_total', passes)
  page.put('gyre_log_scrub_last_pass_timestamp_seconds', (lastPassAt ?? 0) / 1000)
  page.put('gyre_log_damaged_segments', damaged)
  page.put('gyre_log_segments_given_up_total', givenUp)
  page.put('gyre_state_scrubbed_rows_total', scrub.rows)
  page.put('gyre_state_scrub_passes_total', scrub.passes)
}
