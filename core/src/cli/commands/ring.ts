import type { RingBody, ServiceBody } from '../api-shapes.js'
import type { CommandContext } from '../command-context.js'
import { readPages } from '../read-pages.js'

/** Pause between two looks of `--watch`, milliseconds. */
const WATCH_EVERY_MS = 2_000

/** More services than any ring has plugins for. */
const SERVICES_LIMIT = 100_000

/** Shows the ring: its nodes and the health of its arcs; with `--watch` again and again. */
export async function ring(
  context: CommandContext,
  { watch }: { readonly watch?: boolean },
): Promise<void> {
  for (;;) {
    await showRing(context)
    if (watch !== true) return
    await new Promise((resolve) => setTimeout(resolve, WATCH_EVERY_MS))
    if (!context.output.json) context.output.line('')
  }
}

async function showRing({ client, output }: CommandContext): Promise<void> {
  const { body } = await client.call<RingBody>('GET', '/v1/ring')
  await output.result(body, async () => {
    const { healthy, underReplicated, unavailable } = body.health
    output.line(`ring ${body.cluster}, level ${body.level}, rf ${body.rf}`)
    output.line(
      `${body.arcs.length} arcs: ${healthy} healthy, ${underReplicated} under-replicated, ` +
        `${unavailable} unavailable`,
    )
    output.line('')
    const rows = body.nodes.map((node) => [
      node.id,
      node.name,
      node.state,
      node.reachability,
      node.version,
      node.address ?? '-',
    ])
    await output.table(['NODE', 'NAME', 'STATE', 'REACHABLE', 'VERSION', 'ADDRESS'], rows)
  })
}

/** Says which arc and which node a key belongs to. */
export async function owner(context: CommandContext, key: string): Promise<void> {
  await show(context, '/v1/ring/owner', { key })
}

/** Shows what an ID is and where it lives. */
export async function peek(context: CommandContext, id: string): Promise<void> {
  await show(context, `/v1/ids/${encodeURIComponent(id)}`, {})
}

async function show(
  { client, output }: CommandContext,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<void> {
  const { body } = await client.call<unknown>('GET', path, { query })
  await output.result(body, () => output.value(body))
}

/** Lists the services that the ring offers. */
export async function services(context: CommandContext): Promise<void> {
  const { output } = context
  const body = await readPages<ServiceBody>(context, '/v1/services', { limit: SERVICES_LIMIT })
  await output.result(body, async () => {
    const rows = body.items.map((service) => [
      service.name,
      (service.versions ?? [service.version ?? '-']).join(', '),
      String(service.nodes?.length ?? '-'),
      String(service.running ?? '-'),
      refusedText(service),
    ])
    await output.table(['SERVICE', 'VERSIONS', 'NODES', 'RUNNING', 'REFUSED'], rows)
  })
}

function refusedText({ refused }: ServiceBody): string {
  if (refused === undefined || refused === null || refused.reasons.length === 0) return '-'
  return `${refused.count} (${refused.reasons.map(({ reason }) => reason).join(', ')})`
}
