import { parsePointer } from '@gyre/jobs'

/** Keywords whose schemas are tried on the same value as the schema that they stand in. */
const ONE_IN_PLACE = ['not', 'if', 'then', 'else']
const MANY_IN_PLACE = ['allOf', 'anyOf', 'oneOf']
/** Tried when something refers to them, not because they stand there. */
const ONLY_BY_REFERENCE = new Set(['$defs', 'definitions'])
/** Hold values, and schemas only by name. */
const NO_SCHEMAS = new Set(['const', 'enum', 'default', 'examples', '$vocabulary'])

type Members = Readonly<Record<string, unknown>>

/**
 * The reference by which a schema comes back to itself without looking further into the value, which no
 * value would ever end; null without one. Only what can be reached counts. References to other IDs than the
 * schema's own are not followed: what they hide is found when a value is checked.
 */
export function endlessReference(schema: Members): string | null {
  const roots = new Map<Members, Members>()
  noteRoots(schema, schema, roots)
  const done = new Set<Members>()
  const open = new Set<Members>()
  const visit = (node: Members): string | null => {
    if (open.has(node)) return ''
    if (done.has(node)) return null
    open.add(node)
    for (const [reference, next] of inPlaceOf(node, roots.get(node) ?? schema)) {
      const found = visit(next)
      // Told is the nearest reference on the way round.
      if (found !== null) return found === '' ? (reference ?? '') : found
    }
    open.delete(node)
    done.add(node)
    return null
  }
  const reachable = [schema]
  const seen = new Set<Members>(reachable)
  for (const node of reachable) {
    const found = visit(node)
    if (found !== null) return found
    const next = [...partsOf(node), ...inPlaceOf(node, roots.get(node) ?? schema).map(second)]
    for (const each of next) {
      if (seen.has(each)) continue
      seen.add(each)
      reachable.push(each)
    }
  }
  return null
}

function second<T>([, value]: readonly [unknown, T]): T {
  return value
}

/** Notes for each schema the one with the ID that references in it begin at. */
function noteRoots(value: unknown, root: Members, roots: Map<Members, Members>): void {
  if (Array.isArray(value)) for (const item of value) noteRoots(item, root, roots)
  if (!isMembers(value)) return
  const own = typeof value['$id'] === 'string' ? value : root
  roots.set(value, own)
  for (const [name, member] of Object.entries(value)) {
    if (!NO_SCHEMAS.has(name)) noteRoots(member, own, roots)
  }
}

type InPlace = readonly [reference: string | null, schema: Members]

function inPlaceOf(node: Members, root: Members): InPlace[] {
  const found: InPlace[] = []
  for (const name of ['$ref', '$dynamicRef']) {
    const reference = node[name]
    if (typeof reference !== 'string') continue
    const target = targetOf(reference, root)
    if (target !== null) found.push([reference, target])
  }
  for (const name of ONE_IN_PLACE) push(found, node[name])
  for (const name of MANY_IN_PLACE) {
    const schemas = node[name]
    if (Array.isArray(schemas)) for (const each of schemas) push(found, each)
  }
  const dependent = node['dependentSchemas']
  if (isMembers(dependent)) for (const each of Object.values(dependent)) push(found, each)
  return found
}

function push(found: InPlace[], schema: unknown): void {
  if (isMembers(schema)) found.push([null, schema])
}

/** All schemas in it that are tried on a part of the value. */
function partsOf(node: Members): Members[] {
  return Object.entries(node).flatMap(([name, member]) => {
    if (NO_SCHEMAS.has(name) || ONLY_BY_REFERENCE.has(name)) return []
    const values = Array.isArray(member) ? member : [member]
    return values
      .filter(isMembers)
      .flatMap((value) => [value, ...Object.values(value)])
      .filter(isMembers)
  })
}

function targetOf(reference: string, root: Members): Members | null {
  if (!reference.startsWith('#')) return reference === root['$id'] ? root : null
  const fragment = decoded(reference.slice(1))
  if (fragment === null) return null
  if (fragment !== '' && !fragment.startsWith('/')) return anchorIn(root, root, fragment)
  let at: unknown = root
  for (const name of parsePointer(fragment) ?? []) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return null
    at = Reflect.get(at, name)
  }
  return isMembers(at) ? at : null
}

function anchorIn(value: unknown, root: Members, name: string): Members | null {
  if (typeof value !== 'object' || value === null) return null
  if (isMembers(value)) {
    if (value !== root && typeof value['$id'] === 'string') return null
    if (value['$anchor'] === name || value['$dynamicAnchor'] === name) return value
  }
  for (const member of Object.values(value)) {
    const found = anchorIn(member, root, name)
    if (found !== null) return found
  }
  return null
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
