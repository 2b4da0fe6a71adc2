/** What the overlay may keep in memory beyond the rows that are not committed yet. */
export interface OverlayLimits {
  /**
   * Rows remembered from the table. Fewer: rows flushed between two applies of one job are read
   * again. More: memory.
   */
  readonly knownRowsMax: number
  /** Characters of JSON text of the remembered rows: a row may be 50 characters or 256 KiB. */
  readonly knownCharsMax: number
  /** Scan starts per arc for which the consumed head of the table is remembered. */
  readonly headMarksMax: number
  /** Characters of a row that is remembered with such a mark. More: memory, once per mark. */
  readonly headCharsMax: number
}

export const OVERLAY_LIMITS: OverlayLimits = {
  knownRowsMax: 16_384,
  knownCharsMax: 8_388_608,
  headMarksMax: 64,
  headCharsMax: 256,
}
