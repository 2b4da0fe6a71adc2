import { setTimeout as pause } from 'node:timers/promises'

/** Runs `one` for 0 … count − 1, with `lanes` of them under way. @returns ms that each took */
export async function inFlight(
  count: number,
  lanes: number,
  one: (n: number) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const n = next
      next += 1
      const begun = performance.now()
      await one(n)
      took.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane))
  return took
}

/** Begins `one` so many times a second, however long each takes; waits for the last. */
export async function atRate<Result>(
  count: number,
  perSecond: number,
  one: (n: number) => Promise<Result>,
): Promise<Result[]> {
  const begun = performance.now()
  const under: Promise<Result>[] = []
  for (let n = 0; n < count; n += 1) {
    const early = begun + (n * 1000) / perSecond - performance.now()
    if (early > 0) await pause(early)
    under.push(one(n))
  }
  return Promise.all(under)
}

/** @returns ms of a clock that all processes of the machine share */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
