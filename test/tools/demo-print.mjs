/** How the demo shows jobs: progress while they run, results and timelines when they have ended. */

export function heading(text) {
  console.log(`\n${text}\n${'-'.repeat(text.length)}`)
}

/** One line that is rewritten on a terminal, and a line for each change elsewhere. */
export function makeProgress() {
  let last = ''
  return (job) => {
    const { done, total } = job.progress
    const running = job.steps.filter(({ status }) => status === 'running').map(({ name }) => name)
    const line = `  ${job.status}: ${done}/${total} done${running.length > 0 ? `, at ${running}` : ''}`
    if (line === last) return
    last = line
    if (process.stdout.isTTY) process.stdout.write(`\r${line.padEnd(70)}`)
    else console.log(line)
    if (process.stdout.isTTY && job.finishedAt !== null) process.stdout.write('\n')
  }
}

/** Events with milliseconds since the first; runs of the same event of many items become one line. */
export function printTimeline(events) {
  const start = Date.parse(events[0].at)
  for (let index = 0; index < events.length; ) {
    const event = events[index]
    const end = endOfRun(events, index)
    const count = end - index
    const ms = String(Date.parse(event.at) - start).padStart(7)
    const what = `${event.type.padEnd(24)} ${detailsOf(event, count)}`
    console.log(`${ms} ms  ${what.trimEnd()}`)
    index = end
  }
}

/** Attempts of items come in hundreds: starts and ends of one step are told together. */
function endOfRun(events, from) {
  const first = events[from]
  if (first.index === undefined) return from + 1
  let end = from
  while (events[end]?.index !== undefined && events[end].step === first.step) end += 1
  return end
}

function detailsOf(event, count) {
  if (count > 1) return `${event.step}, and ${count - 1} more events of its items`
  const what = event.hook === undefined ? event.step : `${event.step} (${event.hook})`
  const parts = [what, event.attempt && `attempt ${event.attempt}`, event.outcome, event.status]
  if (event.error) parts.push(event.error.code)
  return parts.filter(Boolean).join(', ')
}
