/** Bounds and times of a group. Each says its unit, its reason, and what happens when it is reached. */

/**
 * Milliseconds between heartbeats. Shorter: more small messages in an idle ring. Longer: followers
 * wait longer for a commit index, and the election timeout has to grow with it.
 */
export const HEARTBEAT_MS = 150

/**
 * Milliseconds without a leader before a follower asks whether it may campaign, drawn evenly between
 * the two. Also how long a follower stands by its leader, and a leader by its majority (the shorter
 * one). Shorter: a pause of garbage collection costs an election. Longer: a silent death costs more.
 */
export const ELECTION_MS_MIN = 900
export const ELECTION_MS_MAX = 1500

/** Characters of payloads in one append. A single larger entry still goes, alone. */
export const APPEND_CHARS_MAX = 64 * 1024

/** Entries read back from the log for one append to a peer that is behind. */
export const APPEND_STORED_ENTRIES_MAX = 64

/** Appends, counted as messages, on their way to one peer; then only empty ones go, on its heartbeat responses. */
export const INFLIGHT_MESSAGES_MAX = 128

/** The same in characters of payloads. */
export const INFLIGHT_CHARS_MAX = 4 * 1024 * 1024

/** Entries proposed and not committed before `overloaded` is answered: without a majority the log would grow for ever. */
export const UNCOMMITTED_ENTRIES_MAX = 2000

/** The same in characters of payloads. */
export const UNCOMMITTED_CHARS_MAX = 4 * 1024 * 1024

/** Reads that wait for a confirmation, own and forwarded ones; more messages are refused as `overloaded`. */
export const READS_COUNT_MAX = 10_000

/** Milliseconds without a sign of a snapshot's receiver, after which it is given up and the log may be cut again. */
export const SNAPSHOT_SILENCE_MS = 120_000
