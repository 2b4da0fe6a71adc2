/** Bounds of the engine. Each says its unit, why it is there, and what happens when it is reached. */

/**
 * Commands that may be on their way (waiting for the log, or in it and not applied) before new work
 * is refused with `overloaded`. Bounds memory and the time that an accepted submission waits.
 */
export const OPEN_COMMANDS_MAX = 10_000

/** The same in characters of their JSON. */
export const OPEN_CHARS_MAX = 32 * 1024 * 1024

/**
 * Characters of commands in one log batch. UTF-8 makes at most three bytes of one, so a batch stays
 * far below a log segment. The rest waits for the next batch.
 */
export const BATCH_CHARS_MAX = 1024 * 1024

/** Commands in one log batch: bounds the pause between two syncs when commands are tiny. */
export const BATCH_COMMANDS_MAX = 4096

/** Entries given to the ledger thread and not yet applied. More wait in the log. */
export const UNAPPLIED_ENTRIES_MAX = 8192

/**
 * Entries read back from the log that the ledger has not applied yet, at start. Their size is not
 * known before they are read, so this bounds their memory: the usual ones have some hundred bytes,
 * large ones 256 KiB.
 */
export const REPLAY_ENTRIES_MAX = 256

/**
 * Up to this many offered services, a `fire` entry carries a slot of each, so that retries that became
 * due start in the same commit. With more, it would reserve too much for what it may not need.
 */
export const FIRE_SERVICES_MAX = 16

/**
 * Characters of one command. It bounds what a declared job brings into a submission; a batch of one
 * such command still fits into the log's largest batch.
 */
export const COMMAND_CHARS_MAX = 2 * 1024 * 1024

/** Calls that are no new work (cancel, retry, records) are refused at this many times the bound. */
export const URGENT_TIMES = 4

/**
 * How long a service may go without a slot that new work of its priority is given, and a task that needs
 * much of a resource without room being kept for it, milliseconds.
 */
export const FAIRNESS_MS = 250

/** A stopping node waits this long for its attempts, milliseconds, before it aborts them … */
export const STOP_PATIENCE_MS = 5_000

/** … and this much longer for them to settle; then it stops, and its next life finds them lost. */
export const STOP_ABORT_MS = 6_000

/**
 * Characters of the log, as JSON, that are held of one attempt while the node has no room for it; the oldest
 * lines make room.
 */
export const HELD_LOG_CHARS_MAX = 64 * 1024

/** Longest sleep of the engine, milliseconds: an upper bound for a clock that lies. */
export const ALARM_MAX_MS = 60_000

/**
 * How long the engine goes by the earliest timer that it remembers, milliseconds. Longer: an arc's clock
 * that is pulled along may have come to its timer by a tenth of this before the engine looks.
 */
export const TIMERS_LOOK_MS = 1000

/** What a refused client is told to wait, seconds. */
export const RETRY_AFTER_SECONDS = 1

/** Services in one command about what the node refuses; more go into further ones. */
export const REFUSALS_PER_COMMAND = 100

/** Characters of why a service is refused; a history may hold it many times. Longer: cut. */
export const REFUSAL_TEXT_CHARS_MAX = 500

/**
 * How long a write or sync of the log, or the ledger thread, may owe an answer before the node says that
 * its disk stands still, milliseconds. Shorter: disks that are only busy raise alarms. Longer: clients
 * wait for what does not come.
 */
export const STALL_MS = 10_000

/**
 * For how much longer, milliseconds, when the engine looks: it may be this thread that stood still. By
 * then it has taken what came meanwhile.
 */
export const STALL_GRACE_MS = 250
