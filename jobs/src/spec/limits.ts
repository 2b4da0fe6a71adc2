/** Bounds of what may be submitted. Each is answered with 400 or 413 that names it. */

/** Steps of one job: its whole plan is read at every change of the job. */
export const STEPS_MAX = 1000
/** Items of one `forEach`: each that was started has a row as long as the job is kept. */
export const FOR_EACH_ITEMS_MAX = 100_000
/** Best priority of a job; 0 is the least. */
export const PRIORITY_MAX = 9
/** Characters of a job's affinity: it is hashed, so more would say no more. */
export const AFFINITY_LENGTH_MAX = 512
/** Nesting of any JSON that users send: every reader of it recurses. */
export const JSON_DEPTH_MAX = 64
/** Bytes of one value as JSON: an input, an output, a record. */
export const VALUE_BYTES_MAX = 256 * 1024
/** Bytes of a record's key in UTF-8. */
export const RECORD_KEY_BYTES_MAX = 512
/** Characters of a service or job name. */
export const NAME_LENGTH_MAX = 200
/** Labels of one job, as keys: each costs an index row. */
export const LABELS_MAX = 32
/** Characters of a label's key, and of its value. */
export const LABEL_KEY_LENGTH_MAX = 63
export const LABEL_VALUE_LENGTH_MAX = 256
/** Characters of a JSON pointer in a template. */
export const POINTER_LENGTH_MAX = 1024
/** Attempts of one task. */
export const ATTEMPTS_MAX = 1000
/** `forEach` items of one step that may run at the same time. */
export const CONCURRENCY_MAX = 10_000
/** Growth of the retry delay per attempt. */
export const FACTOR_MAX = 100
/** Any duration, milliseconds: 10 years. */
export const DURATION_MS_MAX = 3650 * 24 * 3600 * 1000

/** Longest a finished job may be kept, milliseconds: a year. */
export const RETENTION_MS_MAX = 365 * 24 * 3600 * 1000
/** Longest a result may be shared with later jobs, milliseconds: a year. */
export const MEMOIZE_MS_MAX = 365 * 24 * 3600 * 1000
/** Attempt timeout where neither step nor service says one, milliseconds. */
export const ATTEMPT_TIMEOUT_MS_DEFAULT = 60_000
/** `forEach` concurrency where the step says none. */
export const CONCURRENCY_DEFAULT = 64
