import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REFUSAL_TEXT_CHARS_MAX, REFUSALS_PER_COMMAND } from './limits.js'
import type { Refusal } from './messages.js'
import { RefusedServices } from './refused-services.js'

const NO_GPU: Refusal = { reason: 'labels', text: 'it runs where gpu=yes' }
const NO_ROOM: Refusal = { reason: 'memory', text: 'one attempt takes too much' }

function refusing(refused: Readonly<Record<string, Refusal>>): RefusedServices {
  const services = new RefusedServices('me')
  offer(services, refused)
  return services
}

function offer(services: RefusedServices, refused: Readonly<Record<string, Refusal>>): void {
  services.noteOffers(JSON.stringify({ services: [], jobs: [], failures: [], refused }))
}

/** What the arc is told: `+service` and `-service`. */
function news(services: RefusedServices, arc: number, waitedFor: readonly string[]): string[] {
  return services
    .newsFor(arc, () => waitedFor)
    .flatMap((command) => {
      const { kind, node, refused, lifted } = JSON.parse(command)
      assert.deepEqual([kind, node], ['note-refusals', 'me'])
      const added = refused.map(({ service }: { service: string }) => `+${service}`)
      return [...added, ...lifted.map((service: string) => `-${service}`)]
    })
}

test('an arc is told once, of what its tasks wait for and nothing else', () => {
  const services = refusing({ draw: NO_GPU, print: NO_ROOM })
  assert.deepEqual(news(services, 0, ['work', 'draw']), ['+draw'])
  assert.deepEqual(news(services, 0, ['work', 'draw']), [])
  assert.deepEqual(news(services, 0, []), [])
  assert.deepEqual(news(services, 1, ['print', 'draw']), ['+print', '+draw'])
})

test('the same offer again is no news, another reason is, and so is the end of a refusal', () => {
  const services = refusing({ draw: NO_GPU })
  assert.deepEqual(news(services, 0, ['draw']), ['+draw'])
  offer(services, { draw: NO_GPU })
  assert.deepEqual(news(services, 0, []), [])
  offer(services, { draw: NO_ROOM })
  assert.deepEqual(news(services, 0, []), ['+draw'])
  offer(services, {})
  assert.deepEqual(news(services, 0, []), ['-draw'])
  assert.deepEqual(news(services, 0, ['draw']), [])
})

test('what an arc knew before this life of the node is not told again', () => {
  const services = refusing({ draw: NO_GPU, print: NO_ROOM })
  const known = [
    { service: 'draw', node: 'me', ...NO_GPU },
    { service: 'print', node: 'me', ...NO_GPU },
    { service: 'gone', node: 'me', ...NO_GPU },
  ]
  services.noteKnown(0, known)
  assert.deepEqual(news(services, 0, ['draw']), ['+print', '-gone'])
  services.noteKnown(1, [{ service: 'draw', node: 'other', ...NO_GPU }])
  assert.deepEqual(news(services, 1, []), ['+draw'])
})

test('nothing is told before the services thread has said what it offers', () => {
  const services = new RefusedServices('me')
  services.noteKnown(0, [{ service: 'draw', node: 'me', ...NO_GPU }])
  assert.deepEqual(news(services, 0, ['draw']), [])
  offer(services, {})
  assert.deepEqual(news(services, 0, []), ['-draw'])
})

test('many services go into several commands, and a long text is cut', () => {
  const names = Array.from({ length: REFUSALS_PER_COMMAND + 1 }, (_, index) => `s${index}`)
  const long = { reason: 'labels', text: 'x'.repeat(2 * REFUSAL_TEXT_CHARS_MAX) } as const
  const services = refusing(Object.fromEntries(names.map((name) => [name, long])))
  const commands = services.newsFor(0, () => names).map((command) => JSON.parse(command))
  assert.deepEqual(
    commands.map(({ refused }) => refused.length),
    [REFUSALS_PER_COMMAND, 1],
  )
  assert.equal(commands[0].refused[0].text.length, REFUSAL_TEXT_CHARS_MAX)
})
