/** Bounds of the services thread and its supervisor; each names its unit and what reaching it does. */

/** Attempts in flight on one node; more are not granted by the engine. */
export const TOTAL_SLOTS_DEFAULT = 256
/**
 * Attempts of one service at a time where the definition says nothing. A slot is taken from the entry
 * that starts the attempt to the report of its end, with a sync in between. Less: short attempts
 * wait for slots instead of the disk, and a job that waits is written twice (test/bench). More: more
 * handlers share one event loop.
 */
export const SERVICE_CONCURRENCY_DEFAULT = 64
export const SERVICE_CONCURRENCY_MAX = 1000

/** Silence of the thread, ms, after which a warning names the handler on the CPU. */
export const BLOCKED_WARN_MS = 1_000
/** Silence, ms, after which the thread is ended. Lower kills slow but honest handlers. */
export const BLOCKED_AFTER_MS = 10_000
/** How long a handler may ignore its abort signal, ms, before the thread is ended. */
export const ABORT_GRACE_MS = 5_000
/** How long the end of a thread is awaited, ms: native code (`execSync`) cannot be interrupted. */
export const THREAD_EXIT_PATIENCE_MS = 5_000
/**
 * How long a thread may take until its first module begins to load, ms; then it is started again. No plugin's
 * code has run by then: what is slow is the machine, and a new thread would not be faster.
 */
export const THREAD_START_MS = 30_000
/**
 * One plugin module may take this long to load, ms; then it is left out for good. Generous: the first
 * TypeScript module also starts its compiler, 0.5 s alone and several on a crowded machine.
 */
export const PLUGIN_LOAD_MS = 30_000
/** Wait before a thread that lived less than `RESTART_STABLE_MS` is started again, doubled each time. */
export const RESTART_DELAY_MS_MIN = 250
export const RESTART_DELAY_MS_MAX = 30_000
export const RESTART_STABLE_MS = 60_000
/** Beats per `BLOCKED_WARN_MS`, and looks at the beat per it: enough to tell silence from jitter. */
export const BEATS_PER_WARNING = 4

/**
 * Largest count of one resource (cores, MiB, units) that a node may have or a service take; more is wrong
 * usage. Sums of thousandths stay exact.
 */
export const AMOUNT_MAX = 1_000_000_000

/**
 * How long a handler in a thread of its own may ignore its abort signal, ms. Short: one that computes
 * hears nothing before it is done, and its thread is nobody else's.
 */
export const POOL_ABORT_GRACE_MS = 500
/** A thread of the pool that has nothing to do for so long, ms, is ended: it holds tens of MiB. */
export const POOL_IDLE_MS = 60_000
/** How often the heap of a thread of the pool is looked at, ms. */
export const POOL_LOOK_MS = 250

/**
 * Memory, heap and buffers, of the services thread, and of an isolated attempt whose service declares no
 * memoryMb, MiB. Past it the thread is ended, and the shared one started again.
 */
export const THREAD_HEAP_MB = 512
/** An isolated attempt may always use so much, MiB: its thread and modules need some of it. */
export const THREAD_MEMORY_MB_MIN = 64
/**
 * How far above that V8's own limit stands, MiB: what a handler can allocate between two looks
 * (heap-watch.ts).
 */
export const HEAP_HEADROOM_MB = 1024

/** Requests to the hash table that the handlers of a node have open at a time; further ones are refused. */
export const RECORD_CALLS_MAX = 10_000
/** A secret with fewer characters is not struck out of logs: it would be found everywhere. */
export const SECRET_CHARS_MIN = 6

/** Characters of an error's message, bytes of its details; longer is cut, larger is dropped. */
export const ERROR_MESSAGE_MAX = 2_000
export const ERROR_DETAILS_BYTES_MAX = 8 * 1024
/**
 * Lines of one attempt that are under way, bytes as the job's log keeps them (api.md): those that leave its
 * thread at once within a pause, those that wait there for the next one, and those that wait for the
 * ledger. Past it the oldest make room and are counted.
 */
export const LOG_WINDOW_BYTES = 64 * 1024
/**
 * A handler that has logged so much waits so long, ms, before more of it leaves its thread: a loop that logs
 * shall not keep the engine from its work.
 */
export const LOG_WINDOW_MS = 1_000
/** Characters of what goes with a handler's progress; longer is cut. */
export const PROGRESS_NOTE_CHARS_MAX = 200
/**
 * How long what a running attempt tells waits for more to go with it into the ledger, ms. Lower costs
 * commits, higher shows later.
 */
export const NEWS_EVERY_MS = 1_000
/** Pause between two notes of progress that leave the handler's thread, ms; of those between the newest goes. */
export const PROGRESS_EVERY_MS = 200
/** Bytes of a line's text, and of its fields, as JSON; a longer text is cut, longer fields are left out, and the line says so. */
export const LOG_LINE_BYTES_MAX = 8 * 1024
/**
 * Lines a second about errors that nobody caught: enough to see which there are; the rest of that
 * second becomes one line of counts.
 */
export const STRAY_LINES_PER_SECOND = 10
/** Services named in that line; further ones are left out, their errors counted. */
export const STRAY_SERVICES_NAMED = 5

/** A user's JSON Schema: bytes and nesting, looked at before it is compiled. */
export const SCHEMA_BYTES_MAX = 64 * 1024
export const SCHEMA_DEPTH_MAX = 32
/**
 * Tries of schemas while one value is checked (counted-schema.ts), and what they read (schema-steps.ts). The
 * largest value of small parts, each tried by a handful of alternatives, needs most of it: half a second;
 * beyond it a value is refused.
 */
export const SCHEMA_STEPS_MAX = 5_000_000
/**
 * Steps that checking an input or output may take at once: some 2 ms, and enough for what is ordinary. What
 * needs more waits for its turn among those that do, one a turn of the thread's loop.
 */
export const QUICK_CHECK_STEPS_MAX = 20_000
/** Entries of the program, its instructions, that one pattern may become; more is refused when its plugin loads. */
export const PATTERN_SIZE_MAX = 10_000
/** Bytes of states that the patterns of a thread may remember; past it all of them begin anew. */
export const PATTERN_STATES_BYTES_MAX = 32 * 1024 * 1024
/** Files of one plugin folder, exports of one module; more are a failure that names the limit. */
export const PLUGIN_FILES_MAX = 1_000
export const MODULE_EXPORTS_MAX = 1_000
