/** Bounds of `http.request`; each names its unit and what reaching it does. */

/** Body of a request, bytes; a longer one fails the attempt for good. */
export const REQUEST_BYTES_MAX = 256 * 1024
/** Body of an answer, bytes; a longer one fails the attempt for good. Below an output's 256 KiB as JSON. */
export const ANSWER_BYTES_MAX = 128 * 1024
/** Redirects followed, requests; one more fails the attempt. */
export const REDIRECTS_MAX = 5
/** How long the connection, the head and a pause in the body may take, ms each. */
export const SILENCE_MS_MAX = 30_000
