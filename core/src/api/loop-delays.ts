/** How late the event loop of a thread is: a histogram over this life of the node. */
export interface LoopDelay {
  readonly count: number
  readonly sumSeconds: number
  /** [upper bound in seconds, samples at most that late], rising. */
  readonly buckets: readonly (readonly [number, number])[]
}

/** By thread. */
export type LoopDelays = Readonly<Record<string, LoopDelay>>

const NAME = 'gyre_event_loop_delay_seconds'

/** As Prometheus text; the threads count by themselves, which its client library cannot take over. */
export function loopDelayText(delays: LoopDelays): string {
  const lines = Object.entries(delays).flatMap(([thread, { count, sumSeconds, buckets }]) => [
    ...buckets.map(([le, upTo]) => `${NAME}_bucket{thread="${thread}",le="${le}"} ${upTo}`),
    `${NAME}_bucket{thread="${thread}",le="+Inf"} ${count}`,
    `${NAME}_sum{thread="${thread}"} ${sumSeconds}`,
    `${NAME}_count{thread="${thread}"} ${count}`,
  ])
  if (lines.length === 0) return ''
  const head = [`# HELP ${NAME} How late timers of a thread ring.`, `# TYPE ${NAME} histogram`]
  return `${[...head, ...lines].join('\n')}\n`
}
