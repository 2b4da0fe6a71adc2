import type { HistogramFigures } from '../base/histogram.js'

/** What the host of the API knows of the process around it; asked at every scrape. */
export interface NodeVitals {
  readonly threads: Readonly<Record<string, ThreadVitals>>
  readonly process: {
    readonly cpuUserSeconds: number
    readonly cpuSystemSeconds: number
    readonly residentBytes: number
    /** Seconds since 1970. */
    readonly startedAt: number
    readonly openFiles: number | null
  }
  /** Of the data folder, bytes. */
  readonly folder: {
    readonly log: number
    readonly state: number
    readonly stateWal: number
    readonly free: number | null
  }
}

export interface ThreadVitals {
  /** How late its timers rang in this life of the node, seconds. */
  readonly loopDelay: HistogramFigures
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
}
