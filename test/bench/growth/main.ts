import { parseArgs } from 'node:util'
import { describeMachine } from '../machine.js'
import { type Growth, Ground } from './measure.js'
import { type Axis, axesOf, type Point } from './shape.js'

/**
 * `npm run bench:growth [-- --axis NAME …] [--runs N] [--scale PART] [--stored N …]`: what a job, a step or an item
 * costs a node as something grows, one table for each axis.
 */
const { values } = parseArgs({
  options: {
    axis: { type: 'string', multiple: true },
    runs: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    stored: { type: 'string', multiple: true, default: ['0', '1000000', '10000000'] },
  },
})

const runs = Number(values.runs)
const stored = values.stored.map(Number)
const scale = Number(values.scale)
const axes = axesOf(stored, scale)
const chosen = axes.filter(({ name }) => values.axis?.includes(name) ?? true)
if (!(runs >= 1) || !(scale > 0) || !stored.every((count) => count >= 0) || chosen.length === 0) {
  const names = axes.map(({ name }) => name).join(', ')
  console.error(
    `usage: npm run bench:growth -- [--axis NAME]… [--runs N] [--scale PART] [--stored JOBS]…; names: ${names}`,
  )
  process.exit(2)
}

console.log(Object.values(describeMachine()).join(', '))
for (const axis of chosen) await curve(axis)

/** Printed as it is measured, as a table that the README can take over. */
async function curve({ name, of, unit, points }: Axis): Promise<void> {
  console.log(`\n${name}\n`)
  console.log(`| ${of} | CPU µs a ${unit} | bytes written a ${unit} | ${unit}s a second |`)
  console.log('|---|---|---|---|')
  for (const point of points) {
    const results = await measured(point)
    const cells = (['cpuMicros', 'written', 'rate'] as const).map((measure) =>
      spread(results.map((result) => result[measure])),
    )
    console.log(`| ${point.value.toLocaleString('en')} | ${cells.join(' | ')} |`)
  }
}

async function measured(point: Point): Promise<Growth[]> {
  const ground = await Ground.make(point)
  try {
    const results: Growth[] = []
    for (let run = 0; run < runs; run += 1) results.push(await ground.run(point))
    return results
  } finally {
    await ground.remove()
  }
}

/** Median [lowest … highest]. */
function spread(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b)
  const [lowest = 0] = sorted
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return `${shown(median)} [${shown(lowest)} … ${shown(sorted.at(-1) ?? 0)}]`
}

function shown(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
}
