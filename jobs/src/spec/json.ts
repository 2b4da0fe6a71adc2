/** Any value that JSON can carry. Data is JSON everywhere: on the wire, in the log, in rows. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}
