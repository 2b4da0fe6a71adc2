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

  /** @param url as requested, with its query */
  problemFor(method: string, url: string): Problem {
    const path = url.split('?', 1)[0] ?? ''
    // `/v1/jobs/batch` takes what it takes itself, and what any `/v1/jobs/:id` takes.
    const allowed = new Set(
      [...this.#routes.values()]
        .filter(({ pattern }) => pattern.test(path))
        .flatMap(({ methods }) => [...methods]),
    )
    if (allowed.size > 0) {
      const allow = [...allowed].join(', ')
      return new Problem('method_not_allowed', `${method} is not allowed here; use ${allow}`, {
        headers: { allow },
      })
    }
    return new Problem('route_not_found', 'no such path; /openapi.json lists all of them')
  }
}

/** `/v1/jobs/:id` → one segment for each parameter; `*` → any rest. */
function patternOf(url: string): RegExp {
  const source = url
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[A-Za-z]+/g, '[^/]+')
    .replaceAll('*', '.*')
  return new RegExp(`^${source}$`)
}
