import { parseArgs } from 'node:util'
import { bullmq } from './bullmq/system.js'
import { gyre } from './gyre/system.js'
import { describeMachine } from './machine.js'
import { measure } from './measure.js'
import { MEASURES, type Measure, type Result, type Summary, summaryOf } from './result.js'
import { type System, WORKLOADS, type Workload } from './workloads.js'

/**
 * `npm run bench [-- --workload NAME …] [--size N] [--runs N] [--no-peers] [--node-flag FLAG …]
 * [--json]`: runs each workload against fresh systems in processes of their own, taking turns, and
 * prints the median and the spread of the runs.
 */
const { values } = parseArgs({
  options: {
    workload: { type: 'string', multiple: true },
    size: { type: 'string' },
    runs: { type: 'string', default: '3' },
    'no-peers': { type: 'boolean', default: false },
    'node-flag': { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
})

const size = values.size === undefined ? undefined : Number(values.size)
const runs = Number(values.runs)
const chosen = WORKLOADS.filter(({ name }) => values.workload?.includes(name) ?? true)
if (!(runs >= 1) || (size !== undefined && !(size >= 1)) || chosen.length === 0) {
  const names = WORKLOADS.map(({ name }) => name).join(', ')
  console.error(
    `usage: npm run bench -- [--workload NAME]… [--size N] [--runs N] [--no-peers] [--node-flag FLAG]… [--json]; names: ${names}`,
  )
  process.exit(2)
}

const systems: System[] = [gyre(values['node-flag'])]
if (!values['no-peers']) systems.push(...peersHere())
const machine = {
  ...describeMachine(),
  flags: `flags of the node: ${values['node-flag'].join(' ') || 'none'}`,
}
if (!values.json) console.log(Object.values(machine).join(', '))
for (const workload of chosen) await compare(workload)

function peersHere(): System[] {
  return [bullmq].filter((peer) => {
    const reason = peer.missing()
    if (reason !== null) console.error(`without ${peer.name}: ${reason}`)
    return reason === null
  })
}

/** The systems take turns, so that what else the machine does meets them alike. */
async function compare(workload: Workload): Promise<void> {
  const able = systems.filter(({ workloads }) => workloads.includes(workload.name))
  const results = new Map<string, Result[]>(able.map(({ name }) => [name, []]))
  const operations = size ?? workload.size
  for (let run = 0; run < runs; run += 1) {
    for (const system of able) {
      results.get(system.name)?.push(await measure(system, workload.name, operations))
    }
  }
  if (values.json) {
    const told = { machine, workload: workload.name, operations, runs: Object.fromEntries(results) }
    console.log(JSON.stringify(told))
  } else {
    console.log(`\n${workload.name}: ${workload.what}; ${operations} operations, ${runs} runs`)
    printTable(results)
  }
}

function printTable(results: ReadonlyMap<string, readonly Result[]>): void {
  const names = [...results.keys()]
  console.log(
    rowOf(
      names,
      '',
      names.slice(1).map((name) => `${names[0]} / ${name}`),
    ),
  )
  for (const [member, unit] of Object.entries(MEASURES) as [Measure, string][]) {
    const summaries = names.map((name) => summaryOf(results.get(name) ?? [], member))
    const [own, ...peers] = summaries
    if (own === undefined) continue
    const cells = summaries.map((summary) => (summary === undefined ? '' : textOf(summary)))
    const ratios = peers.map((peer) => (peer === undefined ? '' : shown(own.median / peer.median)))
    console.log(rowOf(cells, unit, ratios))
  }
}

/** Median [lowest … highest] of each system, then how many times as much the first has. */
function rowOf(cells: readonly string[], unit: string, ratios: readonly string[]): string {
  const columns = [...cells.map((cell) => cell.padStart(26)), ...ratios.map((r) => r.padStart(16))]
  return `${columns.join('')}  ${unit}`.trimEnd()
}

function textOf({ median, lowest, highest }: Summary): string {
  return `${shown(median)} [${shown(lowest)} … ${shown(highest)}]`
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}
