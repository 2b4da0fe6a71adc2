/** Bounds of the ledger. Each says its unit, why it is there, and what happens when it is reached. */

/** UTF-8 bytes of one resolved input or one collected output, as JSON (api.md). */
export { VALUE_BYTES_MAX } from '@gyre/jobs'

/** Attempts shown per step, newest first to stay; older ones are forgotten, the count goes on. */
export const ATTEMPTS_KEPT = 100

/**
 * Lost attempts of a task in one run, not counting those that were handed back: what ends that many
 * workers is likely the cause of it, and is not let loose on the next one.
 */
export const LOST_ATTEMPTS_MAX = 3

/** Events kept per job; then `historyTruncated`, and the job goes on. */
export const HISTORY_EVENTS_MAX = 10_000

/**
 * Events of that which only a job's and its steps' own milestones may use, so that a history whose
 * middle is cut still tells how it ended.
 */
export const HISTORY_EVENTS_RESERVED = 100

/** Events in one history row: few rows per job, and a bounded one to write at each change. */
export const HISTORY_CHUNK_EVENTS = 32

/** Steps of a job that is small (job-parts.ts): with more, its row is long for having many anyway. */
export const SMALL_JOB_STEPS = 8

/**
 * Characters of plan and input of a small job. More: what never changes is written again by every flush
 * in which the job does. Fewer: more jobs cost a row more.
 */
export const SMALL_PLAN_CHARS = 2048

/** Characters of an output that a small job keeps in its row. */
export const SMALL_OUTPUT_CHARS = 512

/**
 * Characters of the errors in one page of a history: the event that passes it is its last. Two thousand
 * clients may follow a timeline, and each has a page in memory.
 */
export const HISTORY_PAGE_CHARS = 128 * 1024

/** Bytes of log lines kept per job, as JSON (api.md); the oldest reports make room for newer ones. */
export const JOB_LOG_BYTES_MAX = 64 * 1024

/** Reasons in one explanation of a job; what is past it is counted. */
export const EXPLAIN_REASONS_MAX = 100

/** Timers handled by one `fire` command; the rest comes in the next, so that no entry is slow. */
export const TIMERS_PER_FIRE = 500

/** Ready rows looked at in one scan of the queue. */
export const READY_PAGE_ROWS = 64

/** Rows read in one scan of items, attempts or index rows. */
export const SCAN_PAGE_ROWS = 512

/** Index rows that one query of a list may read beyond its arcs' first ones; then it says how far it came. */
export const LIST_ROWS_MAX = 4000

/**
 * Index rows that one query of a count may read: some 5 µs each, in which the entries behind it wait.
 * Fewer: more questions for one count.
 */
export const COUNT_ROWS_MAX = 5000

/** Characters of one page of items: the item that passes it is its last, and more pages follow. */
export const ITEMS_PAGE_CHARS = 2 * 1024 * 1024

/**
 * Characters of the steps that one view of a job shows whole; the steps behind the one that passes it are
 * shown in short. Each step may have an output of 256 KiB, and a job 1,000 steps.
 */
export const JOB_VIEW_CHARS = 2 * 1024 * 1024

/**
 * Characters of the outputs that a resubmission takes over: they are copied in one entry, and the job they come
 * from may have 1,000 of 256 KiB. Past it the resubmission is refused.
 */
export const TAKEN_OVER_CHARS_MAX = 8 * 1024 * 1024

/** Items whose outputs share a row until their step's array is made: few rows to read then. */
export const COLLECTED_CHUNK_ITEMS = 256

/** UTF-8 bytes of memoised outputs in one arc; what expires next makes room for newer ones. */
export const MEMO_BYTES_MAX = 2 * 1024 * 1024

/** Rows of memos that one entry may remove, so that none is slow; where more would be needed, nothing is kept. */
export const MEMOS_REMOVED_MAX = 500

/** How long the key of an operator's call is remembered, milliseconds of arc time (api.md: 24 h). */
export const CALL_KEY_KEPT_MS = 24 * 3600 * 1000

/** Expired call keys removed per call that brings a key: more than one, so that they never pile up. */
export const CALL_KEYS_PURGED = 8

/** How long a finished job is kept whose submission does not say, milliseconds (api.md: 7 d). */
export const RETENTION_MS_DEFAULT = 7 * 24 * 3600 * 1000

/** A submission's key is remembered at least so long after its job has finished, milliseconds. */
export const SUBMISSION_KEY_KEPT_MS = 24 * 3600 * 1000

/** Rows removed by one entry, so that none is slow; what is left goes with the next. */
export const PURGE_ROWS_PER_ENTRY = 1000

/** Keys, or jobs, that one entry brings up to this version's layout, so that none is slow. */
export const UPGRADE_ROWS_PER_ENTRY = 500

/** Ready tasks that one entry looks at to tell their steps of a refusal, so that no entry is slow. */
export const REFUSED_TOLD_PER_ENTRY = 100

/** Items looked at, newest first, to tell when the next one of a step is tried again. */
export const NEXT_TRY_ITEMS_MAX = 2000

/** Items of one `forEach`, where a pointer brought them in (checked at submission otherwise). */
export { FOR_EACH_ITEMS_MAX } from '@gyre/jobs'

/** Jobs that one entry of a bulk action looks at, so that no entry is slow; the next goes on behind them. */
export const BULK_JOBS_PER_ENTRY = 100

/** Steps and started items of the jobs that one such entry acts on; the last job may pass it. */
export const BULK_WEIGHT_PER_ENTRY = 1000

/** How long an arc remembers what a bulk action has done there, milliseconds: longer than any takes. */
export const BULK_KEPT_MS = 30 * 24 * 3600 * 1000

/** Jobs whose task IDs a peek computes to find a task: a place on the ring holds few jobs. */
export const PEEK_JOBS_MAX = 1000

/** Hashes that one peek may compute: two for each step of those jobs. */
export const PEEK_HASHES_MAX = 50_000

/** A job without a priority of its own; 9 goes first (api.md). */
export const PRIORITY_DEFAULT = 5
