import { register } from 'node:module'
import type { runSeed as RunSeed } from '../run.js'
import type { Trial, TrialRequest } from './planted-process.js'

/** The child process of planted-process.ts: runs seeds on a node with a planted bug, one after another. */
register('./load-hook.js', import.meta.url)

process.on('message', (request: TrialRequest) => {
  void tryOut(request).then((trial) => process.send?.(trial))
})

async function tryOut({ mutation, ...request }: TrialRequest): Promise<Trial> {
  try {
    const { runSeed }: { readonly runSeed: typeof RunSeed } = await import(
      `../run.js?mutation=${mutation}`
    )
    const { verdict, caughtBy, message, stats } = runSeed(request)
    const how = `${verdict}: ${message.split('\n', 1)[0]?.slice(0, 120) ?? ''}`
    return { caughtBy, how, events: stats.events, error: null }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return { caughtBy: [], how: text, events: 0, error: text }
  }
}
