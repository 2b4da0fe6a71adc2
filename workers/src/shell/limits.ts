/** Bounds of `shell.run`; each names its unit and what reaching it does. */

/** Kept of each of the two outputs, bytes: the end, since it tells most about how it went. */
export const OUTPUT_BYTES_MAX = 64 * 1024
/** Given to the program on its standard input, bytes; more fails the attempt for good. */
export const INPUT_BYTES_MAX = 128 * 1024
/** How long a program that was asked to stop may take, ms, before its group is killed. */
export const STOP_GRACE_MS = 2_000
