/** One server-sent event; `id` null: it has none. */
export interface ServerEvent {
  readonly id: string | null
  readonly name: string
  readonly data: string
}

/** Makes events of the text of a stream, however it is cut; comments are no events. */
export class EventParser {
  #text = ''

  take(part: string): ServerEvent[] {
    const blocks = (this.#text + part).split('\n\n')
    this.#text = blocks.pop() ?? ''
    return blocks.flatMap((block) => eventOf(block) ?? [])
  }
}

function eventOf(block: string): ServerEvent | null {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  const data = fields.get('data')
  if (data === undefined) return null
  return { id: fields.get('id') ?? null, name: fields.get('event') ?? 'message', data }
}
