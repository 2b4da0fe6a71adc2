/** Bounds of the HTTP side. Each has a defined answer; sizes are bytes unless the name says else. */

/** Body of an ordinary request: 413. */
export const BODY_BYTES_MAX = 1024 * 1024
/** Body of a batch: 413. */
export const BATCH_BODY_BYTES_MAX = 8 * 1024 * 1024
/** Jobs in one batch: 413. */
export const BATCH_JOBS_MAX = 1000
/** One input, output or record, as JSON text in UTF-8: 413. Key of a record: 400. */
export { RECORD_KEY_BYTES_MAX, VALUE_BYTES_MAX } from '@gyre/jobs'
/** Levels that an envelope puts round user data: a batch's `jobs/0/steps/x/compensate/input`. */
export const ENVELOPE_DEPTH = 6
/** Arcs that a job without a key is offered to, until one does not stand still: 503. More: a node of few arcs is asked for long. */
export const ARCS_TRIED_MAX = 4
/** Idempotency key, as a header or as a member of a submission: 400. */
export const IDEMPOTENCY_KEY_BYTES_MAX = 512
/** Path and query of a request: 414. */
export const URL_LENGTH_MAX = 8 * 1024
/** All headers of a request, with its first line: 431. */
export const HEADER_BYTES_MAX = 32 * 1024
/** Entries of one page: 400. */
export const PAGE_LIMIT_MAX = 1000
export const PAGE_LIMIT_DEFAULT = 50

/** Requests to the ledger for one page of a list, until it is full; past it the page is shorter. */
export const LIST_SLICES_MAX = 10
/** Requests to the ledger for one count: at 5,000 index rows each, many millions of jobs. Past it 503. */
export const COUNT_SLICES_MAX = 4000
/** Labels, as keys, that one filter may name: 400. */
export const FILTER_LABELS_MAX = 8

/** Longest a request may wait for a job's end, ms; a longer wish is cut to this. */
export const WAIT_MS_MAX = 60_000
/** Requests that may wait for a job's end at a time: each holds a socket and a watch. */
export const WAITS_MAX = 10_000
/** Requests that may follow a timeline at a time: each holds a socket and a page. Past it 503. */
export const EVENT_STREAMS_MAX = 2000
/** Events in one page of a followed timeline: so many are in memory for each that is followed. */
export const EVENT_PAGE_EVENTS = 100
/** Silence of a followed timeline after which a comment is sent, ms; proxies cut at 30 s or more. */
export const EVENT_STREAM_HEARTBEAT_MS = 15_000
/** How long a client may take nothing of a followed timeline, ms; then it is cut off. */
export const EVENT_STREAM_PATIENCE_MS = 30_000
/** Connections at a time, where the process may open so many files; more are closed at once. */
export const CONNECTIONS_MAX = 20_000
/**
 * Open files kept from connections for the node's own log, state and plugins; most are needed when
 * a services thread is started again and loads its modules all at once. A process that may open less
 * than twice as many gives connections half. Less: connections can stall the node. More: fewer clients.
 */
export const OPEN_FILES_RESERVED = 512
/** Open files that a process is taken to be allowed where the system does not tell: what most give. */
export const OPEN_FILES_ASSUMED = 1024
/**
 * Bytes of bodies that have come and are worked on: past it 503. On its way through the threads each
 * is there several times. Less: fewer large batches at a time, of which each may have 8 MiB.
 */
export const BODIES_IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024
/** Least that must come of a body in each such time, bytes and ms: else 408. */
export const BODY_PACE_BYTES = 4 * 1024
export const BODY_PACE_MS = 10_000
/** How often slow bodies are looked for, ms. */
export const BODY_CHECK_MS = 1000
/** Silence after which a body that has come in part makes room for others when there is none, ms: 503. */
export const BODY_GIVES_WAY_MS = 1000
/** Requests of one connection that are not answered yet: past it 503. */
export const PIPELINED_MAX = 16
/**
 * Bytes of answers that are not read yet, of all connections: past it reads get 503 instead of their
 * answer. Less: fewer large pages at a time. More: slow readers take more memory.
 */
export const UNREAD_BYTES_MAX = 64 * 1024 * 1024
/** The same of one connection; past it, it may ask for nothing: 503. */
export const UNREAD_PER_CONNECTION_BYTES_MAX = 16 * 1024 * 1024
/** Bytes that a connection may always be given: health, metrics and refusals among them. */
export const SMALL_ANSWERS_BYTES = 16 * 1024
/** How long a client may take nothing of an answer, ms; then its connection is cut. */
export const ANSWER_PATIENCE_MS = 30_000
/** How long a client may take to send its headers, and its whole request, ms. */
export const HEADERS_TIMEOUT_MS = 15_000
export const REQUEST_TIMEOUT_MS = 60_000
/** How often slow clients are looked for, ms. */
export const SLOW_CLIENT_CHECK_MS = 5000
/**
 * What is still read of a body after its request was refused, so that a client that writes all of it
 * before it reads gets the refusal and no broken connection. Then the connection is cut.
 */
export const DRAIN_BYTES_MAX = 64 * 1024 * 1024
/** The same when nothing came of it for so long, ms. */
export const DRAIN_SILENCE_MS_MAX = 10_000
/** How often a body that is read for nothing is looked at, ms. */
export const DRAIN_CHECK_MS = 50
/** How long an idle connection is kept, ms. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000

/**
 * Steps, of some 100 ns, that checking one job's inputs may take: past it 422. As the executing node has it
 * (adapters/services/limits.ts).
 */
export const CHECK_STEPS_MAX = 5_000_000
/** Steps that all jobs of a request may take together, some 2 s: past it each further dear job is refused, 413. */
export const REQUEST_CHECK_STEPS_MAX = 20_000_000
/**
 * Steps that each job may take whatever else is in its request, some 2 ms: an ordinary input takes
 * about a step for each of its bytes. Less: more jobs wait for the dear ones. More: a batch of 1,000 holds the node up longer.
 */
export const QUICK_CHECK_STEPS_MAX = 20_000
/** How long cheap checks go on before others are heard, ms; a dear one has a turn of its own. */
export const CHECK_TURN_MS = 10
/** Requests that wait with dear checks at a time: past it 503. Honest ones of that size fill BODIES_IN_FLIGHT_BYTES_MAX before. */
export const DEAR_CHECKS_MAX = 1000

/** Services of a submission's ready tasks named to the engine, so that they start in its commit. */
export const START_HINTS_MAX = 256
/** What a client is told to wait before it tries again, seconds. */
export const RETRY_AFTER_SECONDS = 1
/** How long a health or metrics request waits for the node's own numbers, ms. */
export const STATUS_TIMEOUT_MS = 2000
/** The least time between two looks at the ring's list of services, ms. */
export const SERVICES_REFRESH_MS = 1000
/** How long open requests may take to end when the API closes, ms; then they are cut off. */
export const CLOSE_PATIENCE_MS = 5000
