/** Bounds of the text services. Reaching one skips and counts, or fails with an error that names it. */

/** Bytes of text that one chunk aims at, and the most that it grows to on a large folder. */
export const CHUNK_BYTES_DEFAULT = 1024 * 1024
export const CHUNK_BYTES_MAX = 8 * 1024 * 1024
/** Files in one chunk: its list stays a small file. */
export const CHUNK_FILES_MAX = 2_000
/** Chunks of one job: their outputs, collected, must fit into 256 KiB. More: `folder_too_large`. */
export const CHUNKS_MAX = 1_000
/** Files that are listed; more: `folder_too_large`. */
export const FILES_MAX = 1_000_000
/** A larger file is skipped and counted. */
export const FILE_BYTES_MAX = 8 * 1024 * 1024
/** Folders below the first; deeper ones are skipped and counted. */
export const FOLDER_DEPTH_MAX = 64
/** Bytes at a file's start in which a NUL means "binary". */
export const BINARY_PROBE_BYTES = 8 * 1024
/** Characters of a word; shorter and longer ones are not indexed. */
export const WORD_LENGTH_MIN = 2
export const WORD_LENGTH_MAX = 64
/** Parts merged at a time: open files. */
export const MERGE_FAN_IN = 32
/** Bytes read or written at a time; between two of them others get the thread. */
export const BLOCK_BYTES = 128 * 1024
/** Words in the report. */
export const TOP_WORDS = 20
/** Words of one query, hits of one answer. */
export const QUERY_WORDS_MAX = 16
export const HITS_MAX = 100
