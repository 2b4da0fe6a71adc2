/** Limits and fixed sizes of the log store; each with its unit and its reason. */

/** Bytes of a segment file, preallocated. Small enough to delete often, large enough to create rarely. */
export const SEGMENT_BYTES = 16 * 1024 * 1024

/** Smallest segment that is accepted (simulations use small ones): a checkpoint and a batch must fit. */
export const SEGMENT_BYTES_MIN = 64 * 1024

/**
 * Payload bytes of the largest batch that a segment of the usual size takes: half a segment, so that
 * an opening checkpoint of all arcs always fits beside it.
 */
export const BATCH_BYTES_MAX = SEGMENT_BYTES / 2

/**
 * Bytes of segments kept although no arc needs them, so that a lost state store can be rebuilt.
 * Less: a rebuild fails sooner. More: a longer scan at each start (some 5 s per GiB) and more disk.
 */
export const RETAIN_BYTES = 128 * 1024 * 1024

/** Payload bytes of the newest entries kept in memory for `read`. */
export const TAIL_CACHE_BYTES = 8 * 1024 * 1024

/** Milliseconds between attempts to make the spare segment on a full disk. */
export const SPACE_RETRY_MS = 5_000

/**
 * Milliseconds between attempts to make it while the system has no file descriptor. Shorter:
 * connections that end give theirs back at any moment, and a try costs one system call.
 */
export const DESCRIPTOR_RETRY_MS = 200

/**
 * Largest share of a segment that is copied forward to free the rest; above it the segment waits for
 * its arcs to be compacted, since copying would cost more than it frees.
 */
export const RELOCATED_SHARE_MAX = 0.25

/** Bytes copied forward beside one batch, so that moving never delays an append by much. */
export const RELOCATED_BYTES_PER_BATCH = 256 * 1024

/**
 * Blocks of 4 KiB that the scrub reads and verifies at once, 1 MiB: a millisecond or two of the thread.
 * More: a longer pause for what waits meanwhile. Fewer: more reads for the same log.
 */
export const SCRUB_BLOCKS = 256

/** Damaged segments that are kept as evidence, each as large as a segment; older ones are removed. */
export const SET_ASIDE_MAX = 4
