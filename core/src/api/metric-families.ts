/**
 * Every family of metrics that a node serves, in the order of its page. `help` says what the figure is
 * and what to do with it; core/docs/reference/metrics.md says the same and what to alert on, and a test
 * compares the two with what a node serves.
 *
 * Labels are bounded: statuses, codes and threads that the program knows, routes, units that an operator
 * names, and services up to SERVICE_LABELS_MAX, the rest of them as `other`; never an ID.
 */
export const METRIC_FAMILIES = {
  // ---- jobs and attempts
  gyre_jobs: {
    type: 'gauge',
    labels: ['status'],
    help: 'Jobs in the ledger. More that are queued than end in a minute: add slots or nodes.',
  },
  gyre_jobs_submitted_total: {
    type: 'counter',
    labels: [],
    help: 'Jobs stored. Its rate is the load; compare it with the rate of gyre_jobs_ended_total.',
  },
  gyre_jobs_ended_total: {
    type: 'counter',
    labels: ['status'],
    help: 'Jobs that ended, again after an operator moved them on. Look at jobs of statuses other than succeeded.',
  },
  gyre_job_start_delay_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From the submission in the log, or runAt, to the first attempt. Grows when slots are short.',
  },
  gyre_attempts_total: {
    type: 'counter',
    labels: ['service', 'outcome'],
    help: 'Attempts that ended. A rising share of other outcomes than succeeded: look at that service.',
  },
  gyre_attempt_duration_seconds: {
    type: 'histogram',
    labels: ['service'],
    help: 'From the start of an attempt in the log to its end there, two syncs included. Compare it with the timeout.',
  },
  gyre_compensations_open: {
    type: 'gauge',
    labels: [],
    help: 'Jobs that are being compensated now. One that stays has a compensation that hangs or is retried.',
  },
  gyre_compensations_started_total: {
    type: 'counter',
    labels: [],
    help: 'Compensations begun. A rise means that jobs with effects fail or are cancelled.',
  },
  gyre_compensation_steps_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Steps undone, not undone, or skipped by an operator. Each failed one waits for retry, skip or fail.',
  },

  // ---- queues and slots
  gyre_ready_tasks: {
    type: 'gauge',
    labels: ['service'],
    help: 'Tasks that could start. With free credits and tasks that stay: see explain of one of their jobs.',
  },
  gyre_oldest_waiting_seconds: {
    type: 'gauge',
    labels: ['service'],
    help: 'How long the oldest task that no slot is on its way to has waited. Grows: raise concurrency, or nobody offers it.',
  },
  gyre_credits_granted: {
    type: 'gauge',
    labels: ['service'],
    help: 'Slots that this node grants to work of the service. 0: its plugin is gone or its thread restarts.',
  },
  gyre_credits_free: {
    type: 'gauge',
    labels: ['service'],
    help: 'How many more attempts could start now. 0 for long: slots, or what attempts require, are short.',
  },
  gyre_running_attempts: {
    type: 'gauge',
    labels: [],
    help: 'Attempts that run here. At the sum of the credits the node is full.',
  },
  gyre_service_running_attempts: {
    type: 'gauge',
    labels: ['service'],
    help: 'Attempts that run here or are about to, by service. At its credits the service is full.',
  },
  gyre_capacity: {
    type: 'gauge',
    labels: ['unit'],
    help: 'What the node has for its attempts: cores, MiB, or units of its own. Compare with what is taken.',
  },
  gyre_capacity_taken: {
    type: 'gauge',
    labels: ['unit'],
    help: 'What of the capacity running attempts take. All of it for long: the node is too small for its work.',
  },
  gyre_handler_blocked_total: {
    type: 'counter',
    labels: ['service'],
    help: 'Times that handlers kept the shared services thread from turning for a second. Give that service isolation: thread.',
  },
  gyre_plugin_failures: {
    type: 'gauge',
    labels: [],
    help: 'Plugins that did not load. The log of the start names each with its error.',
  },

  // ---- refusals
  gyre_refusals_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Commands and reads that the engine did not take. overloaded: submit slower or add nodes, and look at the disk.',
  },
  gyre_http_problems_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Requests answered with a problem, by its code; bytes that are no request are not counted. errors.md says what each means.',
  },

  // ---- HTTP
  gyre_http_requests_total: {
    type: 'counter',
    labels: ['method', 'route', 'status'],
    help: 'HTTP requests answered. A rise of 5xx: see gyre_refusals_total for why.',
  },
  gyre_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['method', 'route'],
    help: 'From the head of a request to its whole answer, waits that the client asked for included.',
  },
  gyre_http_waits: {
    type: 'gauge',
    labels: [],
    help: 'Requests that wait for a job to end. Each holds a connection.',
  },
  gyre_http_event_streams: {
    type: 'gauge',
    labels: [],
    help: 'Timelines that are followed live. Each holds a connection.',
  },
  gyre_http_bodies_in_flight_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Memory that request bodies take now. At its bound more are refused with overloaded.',
  },
  gyre_http_unread_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Answers that clients have not read yet. High: some client asks and does not read.',
  },

  // ---- log
  gyre_pending_proposals: {
    type: 'gauge',
    labels: [],
    help: 'Commands that wait for the log. Many: the disk is slower than the load.',
  },
  gyre_unapplied_entries: {
    type: 'gauge',
    labels: [],
    help: 'Entries committed and not applied yet. Many: the ledger thread is slower than the load.',
  },
  gyre_commit_duration_seconds: {
    type: 'histogram',
    labels: [],
    help: 'From taking a command until it is synced to disk. Every write of a client waits for this.',
  },
  gyre_log_sync_duration_seconds: {
    type: 'histogram',
    labels: [],
    help: 'Writing and syncing one batch of the log. Slower than usual: look at the disk.',
  },
  gyre_log_batch_commands: {
    type: 'histogram',
    labels: [],
    help: 'Commands that share one sync. Grows with the load; that is what keeps the rate up on a slow disk.',
  },
  gyre_log_syncs_total: {
    type: 'counter',
    labels: [],
    help: 'Syncs of the log. A rate of zero under load: the disk hangs.',
  },
  gyre_log_written_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes written to the log. Its rate is what the disk must bear for the log alone.',
  },
  gyre_log_size_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Size of the log on disk. Grows without end only while the state cannot be written: see the free bytes.',
  },
  gyre_log_scrubbed_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Bytes of the log verified at rest. Stands still: the background does not come to it.',
  },
  gyre_log_scrubbed_segments_total: {
    type: 'counter',
    labels: [],
    help: 'Segments of the log verified at rest. Stands still: the background does not come to it.',
  },
  gyre_log_scrub_passes_total: {
    type: 'counter',
    labels: [],
    help: 'Passes over all closed segments of the log. Each has seen every byte of them.',
  },
  gyre_log_scrub_last_pass_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the last such pass ended, seconds since 1970; 0: none has. Older than a day: look at the load.',
  },
  gyre_log_damaged_segments: {
    type: 'gauge',
    labels: [],
    help: 'Damaged segments that are still needed. Not 0: do not stop this node, check the disk, see the log.',
  },
  gyre_log_stalled_seconds: {
    type: 'gauge',
    labels: [],
    help: 'For how long the disk has not answered the log; 0: it does. Check the disk, its cable or its network.',
  },
  gyre_log_segments_given_up_total: {
    type: 'counter',
    labels: [],
    help: 'Damaged segments given up, their content being safe in the state. Check the disk all the same.',
  },

  // ---- state
  gyre_arcs_stopped: {
    type: 'gauge',
    labels: [],
    help: 'Arcs that stand still, while the others go on. Not 0: the log of the node says which, why, and what to do.',
  },
  gyre_state_stalled_seconds: {
    type: 'gauge',
    labels: [],
    help: 'For how long nothing has come back from the state; 0: it does. Check the disk, its cable or its network.',
  },
  gyre_overlay_dirty_rows: {
    type: 'gauge',
    labels: [],
    help: 'Rows in memory that the state store does not have yet. Stays above 100,000: the state disk is too slow.',
  },
  gyre_overlay_known_rows: {
    type: 'gauge',
    labels: [],
    help: 'Rows of the state store kept in memory, bounded. They spare reads; nothing is to be done.',
  },
  gyre_overlay_known_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Characters of their JSON, bounded. Part of the heap of the ledger thread.',
  },
  gyre_state_size_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Size of the state on disk. Grows with the jobs that are kept: shorten their retention if it is too much.',
  },
  gyre_state_wal_size_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Size of the write-ahead log of the state, emptied at each checkpoint. Over 200 MiB: checkpoints do not complete.',
  },
  gyre_state_scrubbed_rows_total: {
    type: 'counter',
    labels: [],
    help: 'Rows of the state store verified at rest. Stands still: the background does not come to it.',
  },
  gyre_state_scrub_passes_total: {
    type: 'counter',
    labels: [],
    help: 'Passes over the whole state store. Each has seen every row.',
  },
  gyre_disk_free_bytes: {
    type: 'gauge',
    labels: [],
    help: 'What the node may still write on the disk of its data folder. Make room before it is 0: work is refused then.',
  },

  // ---- node
  gyre_serving: {
    type: 'gauge',
    labels: [],
    help: '1 when the node serves, 0 while it starts, stops, or does not answer itself; readyz says why.',
  },
  gyre_node_info: {
    type: 'gauge',
    labels: ['name', 'version'],
    help: 'Always 1; its labels describe the node. Join on it to see versions during an upgrade.',
  },
  gyre_event_loop_delay_seconds: {
    type: 'histogram',
    labels: ['thread'],
    help: 'How late timers of a thread ring. services: a handler blocks; others: the machine is short of CPU.',
  },
  gyre_thread_heap_used_bytes: {
    type: 'gauge',
    labels: ['thread'],
    help: 'Objects in the heap of a thread, garbage included. Its lowest points rise for hours: something leaks.',
  },
  gyre_thread_heap_size_bytes: {
    type: 'gauge',
    labels: ['thread'],
    help: 'Memory that the heap of a thread takes. Part of the resident memory of the process.',
  },
  gyre_thread_external_bytes: {
    type: 'gauge',
    labels: ['thread'],
    help: 'Buffers that a thread holds beside its heap. Part of the resident memory of the process.',
  },
  gyre_process_resident_memory_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Memory of the process, all threads and SQLite. Near the limit of its container: it will be killed.',
  },
  gyre_process_cpu_seconds_total: {
    type: 'counter',
    labels: ['mode'],
    help: 'CPU time of the process. A rate near the number of cores: the node is as fast as it gets.',
  },
  gyre_process_open_fds: {
    type: 'gauge',
    labels: [],
    help: 'Open file descriptors. Near the limit of the process (ulimit -n): raise it, connections are refused then.',
  },
  gyre_process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the process started, seconds since 1970. A change is a restart: all counters began at 0.',
  },
} as const satisfies Readonly<Record<string, MetricFamily>>

export interface MetricFamily {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

export type MetricName = keyof typeof METRIC_FAMILIES
