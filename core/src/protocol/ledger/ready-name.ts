import { PRIORITY_DEFAULT } from './limits.js'

/**
 * How ready tasks are counted: by service and priority. A name is the service's own at the default
 * priority and `SERVICE/PRIORITY` at any other; no service has a slash in its name.
 */
export function readyName(service: string, priority: number): string {
  return priority === PRIORITY_DEFAULT ? service : `${service}/${priority}`
}

export interface ReadyKind {
  readonly service: string
  readonly priority: number
}

export function parseReadyName(name: string): ReadyKind {
  const slash = name.lastIndexOf('/')
  if (slash < 0) return { service: name, priority: PRIORITY_DEFAULT }
  return { service: name.slice(0, slash), priority: Number(name.slice(slash + 1)) }
}
