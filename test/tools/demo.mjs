/**
 * `npm run demo`: one node indexes the texts of the installed packages, answers a search, and undoes
 * an order that cannot be shipped. Then it stays up until Ctrl-C; with `--once` it ends by itself.
 * Whatever ends otherwise than expected ends the demo at once, with exit code 1.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call, historyOf, runJob, startNode } from './demo-node.mjs'
import { heading, makeProgress, printTimeline } from './demo-print.mjs'

const PACKAGES = join(import.meta.dirname, '..', '..', 'node_modules')
/** Documentation, and the declarations and sources that carry the rest of it in their comments. */
const ENDINGS = [
  '.md',
  '.markdown',
  '.txt',
  '.html',
  'license',
  '.ts',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
]
const QUERY = 'event loop thread'

async function indexPackages(node, out) {
  heading(`Main job: text-index over ${PACKAGES}`)
  const input = { folder: PACKAGES, out, endings: ENDINGS }
  const job = await runJob(node, { job: 'text-index', input }, 'demo-index', makeProgress())
  expect(job, 'succeeded')
  const { files, bytes, words, terms, top } = job.output
  const megabytes = (bytes / 1e6).toFixed(1)
  console.log(`  ${files} files, ${megabytes} MB, ${words} words, ${terms} different ones`)
  console.log(`  most frequent: ${top.slice(0, 8).map(nameOf).join(', ')}`)
  printTimeline(await historyOf(node, job.id))
  return job.output.index
}

async function search(node, index) {
  heading(`A query on the result: "${QUERY}"`)
  const submission = { service: 'text.search', input: { index, query: QUERY, limit: 5 } }
  const job = await runJob(node, submission, 'demo-search', () => {})
  expect(job, 'succeeded')
  const { filesWith, matches, hits } = job.output
  if (hits.length === 0) throw new Error('the search found nothing')
  const perWord = Object.entries(filesWith).map(([word, count]) => `${word} in ${count}`)
  console.log(`  ${matches} files match: ${perWord.join(', ')}`)
  for (const hit of hits) console.log(`  ${hit.score}  ${hit.path}`)
}

async function failingOrder(node) {
  heading('An order that cannot be shipped: what was done is undone, newest first')
  const input = {
    sku: 'lamp-7',
    quantity: 2,
    amount: 49.9,
    card: 'card-of-the-demo',
    address: 'Nowhere 1',
    failing: { charge: { attempts: 1 }, ship: {} },
  }
  const job = await runJob(node, { job: 'order', input }, 'demo-order', makeProgress())
  expect(job, 'compensated')
  printTimeline(await historyOf(node, job.id))
  for (const { name, status, compensation } of job.steps) {
    console.log(`  ${name}: ${status}${compensation ? `, undone: ${compensation.status}` : ''}`)
  }
  const undone = job.steps.filter(({ compensation }) => compensation?.status === 'succeeded')
  if (undone.length < 2) throw new Error('reserve and charge should have been undone')
}

function expect(job, status) {
  if (job.status === status) return console.log(`  ended ${status}, as expected (job ${job.id})`)
  const error = job.error === null ? '' : `: ${job.error.code}, ${job.error.message}`
  throw new Error(`job ${job.id} ended ${job.status}${error}; expected ${status}`)
}

function nameOf(entry) {
  return typeof entry === 'string' ? entry : `${entry.word} ${entry.count}`
}

/** How often to look whether npm is still there, milliseconds. */
const LOOK_MS = 500

/**
 * Resolves when the person at the keyboard has had enough, or when the shell that npm runs this in
 * is gone: it dies of a SIGTERM to npm without passing it on.
 */
function interrupted() {
  const parent = process.ppid
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve(signal))
    if (process.env['npm_lifecycle_event'] === undefined) return
    setInterval(() => process.ppid === parent || resolve('npm is gone'), LOOK_MS).unref()
  })
}

async function main() {
  const enough = interrupted()
  const out = await mkdtemp(join(tmpdir(), 'gyre-demo-'))
  const node = await startNode()
  try {
    console.log(`One node, ready at ${node.url} (API documentation: ${node.url}/docs)`)
    const story = async () => {
      await search(node, await indexPackages(node, out))
      await failingOrder(node)
      const { items } = await call(node, 'GET', '/v1/jobs')
      console.log(`\n${items.length} jobs done; the node is at ${node.url}`)
      if (process.argv.includes('--once')) return
      console.log('It stays up until Ctrl-C. Try `npx gyre jobs` in another terminal.')
      await node.orDeath(enough)
    }
    await Promise.race([story(), enough])
  } finally {
    const code = await node.stop()
    await rm(out, { recursive: true, force: true })
    if (code !== 0) process.exitCode = 1
  }
}

try {
  await main()
} catch (error) {
  console.error(`\nThe demo failed: ${error.message}`)
  process.exitCode = 1
}
