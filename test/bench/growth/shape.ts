/** What the jobs of one point are like. */
export interface Shape {
  /** Bytes of a job's input, roughly. */
  readonly payloadBytes: number
  /** Steps one after another, each given the job's input. */
  readonly steps: number
  /** Items of one `forEach` step instead; 0: none. */
  readonly items: number
}

/** What a submitter of such jobs saw. */
export interface Grown {
  readonly seconds: number
  /** Bodies of the answers to its submissions. */
  readonly answeredBytes: number
}

const PLAIN: Shape = { payloadBytes: 200, steps: 1, items: 0 }

/** One measurement: a node of some kind, and jobs of some shape. */
export interface Point {
  readonly value: number
  readonly shape: Shape
  /** Jobs of one run: some seconds of work. */
  readonly jobs: number
  /** What is counted in one job. */
  readonly unitsEach: number
  readonly arcs: number | null
  /** Jobs that the state holds already. */
  readonly stored: number
}

export interface Axis {
  readonly name: string
  /** Of `value`. */
  readonly of: string
  readonly unit: string
  readonly points: readonly Point[]
}

const BASE: Omit<Point, 'value'> = {
  shape: PLAIN,
  jobs: 10_000,
  unitsEach: 1,
  arcs: null,
  stored: 0,
}

function axis(
  name: string,
  of: string,
  unit: string,
  points: readonly (readonly [value: number, changes: Partial<Point>])[],
): Axis {
  const all = points.map(([value, changes]) => ({ ...BASE, ...changes, value }))
  return { name, of, unit, points: all }
}

/**
 * @param stored  points of the first axis, jobs
 * @param scale   of the jobs of each run: less is faster and tells less
 */
export function axesOf(stored: readonly number[], scale: number): readonly Axis[] {
  const counts = stored.map((count) => [count, { stored: count }] as const)
  const arcs = [64, 256, 1024, 4096].map((count) => [count, { arcs: count }] as const)
  const payloads = (
    [
      // As many as of the next: a node is faster the longer it runs, and that is not what is asked.
      [200, 5000],
      [2000, 5000],
      [20_000, 1500],
      [200_000, 300],
    ] as const
  ).map(([bytes, jobs]) => [bytes, { jobs, shape: { ...PLAIN, payloadBytes: bytes } }] as const)
  const steps = (
    [
      [1, 10_000],
      [3, 4000],
      [10, 1200],
      [100, 120],
    ] as const
  ).map(([count, jobs]) => {
    return [count, { jobs, unitsEach: count, shape: { ...PLAIN, steps: count } }] as const
  })
  const items = (
    [
      [1, 5000],
      [10, 1000],
      [100, 100],
      [1000, 10],
      [10_000, 1],
      [100_000, 1],
    ] as const
  ).map(([count, jobs]) => {
    return [count, { jobs, unitsEach: count, shape: { ...PLAIN, items: count } }] as const
  })
  const axes = [
    axis('stored', 'jobs stored', 'job', counts),
    axis('arcs', 'arcs', 'job', arcs),
    axis('payload', 'bytes of input', 'job', payloads),
    axis('steps', 'steps of a job', 'step', steps),
    axis('items', 'items of a forEach step', 'item', items),
  ]
  return axes.map((each) => ({ ...each, points: each.points.map((point) => scaled(point, scale)) }))
}

function scaled(point: Point, scale: number): Point {
  return { ...point, jobs: Math.max(1, Math.round(point.jobs * scale)) }
}
