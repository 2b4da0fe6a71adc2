import type { FastifyInstance } from 'fastify'
import { Problem } from './problem.js'

/** Tells an unknown path (404) from a known one with another method (405, with `Allow`). */
export class KnownRoutes {
  readonly #routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** Remembers every route that is added from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
      for (const each of [method].flat()) known.methods.add(each)
      this.#routes.set(url, known)
    })
  }

  /**
   * A path that is a route by its own name is never a parameter of another one: no job is called
   * `batch`, so reading `/v1/jobs/batch` is a wrong method and no look for a job.
   *
   * @param request  `url` as requested, with its query; `route`: the pattern that the router chose
   * @returns null when the router is right
   */
  misreadAsParameter(request: { method: string; url: string; route: string }): Problem | null {
    if (!hasParameter(request.route)) return null
    const methods = this.#routes.get(pathOf(request.url))?.methods
    return methods === undefined ? null : notAllowed(request.method, methods)
  }

  /** @param url as requested, with its query; no route takes it */
  problemFor(method: string, url: string): Problem {
    const path = pathOf(url)
    const isNamed = this.#routes.has(path)
    const allowed = new Set(
      [...this.#routes]
        .filter(([route, { pattern }]) => pattern.test(path) && !(isNamed && hasParameter(route)))
        .flatMap(([, { methods }]) => [...methods]),
    )
    if (allowed.size > 0) return notAllowed(method, allowed)
    return new Problem('route_not_found', 'no such path; /openapi.json lists all of them')
  }
}

function notAllowed(method: string, methods: ReadonlySet<string>): Problem {
  const allow = [...methods].join(', ')
  return new Problem('method_not_allowed', `${method} is not allowed here; use ${allow}`, {
    headers: { allow },
  })
}

function hasParameter(route: string): boolean {
  return route.includes(':')
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? ''
}

/** `/v1/jobs/:id` → one segment for each parameter; `*` → any rest. */
function patternOf(url: string): RegExp {
  const source = url
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[A-Za-z]+/g, '[^/]+')
    .replaceAll('*', '.*')
  return new RegExp(`^${source}$`)
}
