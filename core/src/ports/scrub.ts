/** A state store that can be verified in slices, beside other work (core/docs/protocol/state.md). */
export interface Scrubbable {
  /**
   * Verifies the next rows behind `fromKey` ('' to begin).
   *
   * @throws AppError `state_damaged` at the first row that is not what was written
   */
  scrub(fromKey: string, bounds: ScrubBounds): ScrubSlice
}

/** A slice ends at whichever comes first. */
export interface ScrubBounds {
  readonly rowsMax: number
  /** Of keys and values; the row that reaches it is the last one. */
  readonly charsMax: number
}

export interface ScrubSlice {
  /** Key to go on from; null at the end of the store. */
  readonly next: string | null
  /** Rows verified. */
  readonly rows: number
}
