/** Bounds of `file.*`; each names its unit and what reaching it does. */

/** A file read or written in one piece, bytes; a larger one fails the attempt for good. */
export const FILE_BYTES_MAX = 128 * 1024
/** Entries of a folder that `file.list` gives; the rest is counted as `more`. */
export const ENTRIES_MAX = 1_000
