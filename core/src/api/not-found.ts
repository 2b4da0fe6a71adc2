import type { FastifyInstance } from 'fastify'
import { Problem } from './problem.js'

/** Tells an unknown path (404) from a known one with another method (405, with `Allow`). */
export class KnownRoutes {
  readonly #methods = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** Remembers every route that is added from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#methods.get(url) ?? { pattern: patternOf(url), methods: new Set() }
      for (const each of [method].flat()) known.methods.add(each)
      this.#methods.set(url, known)
    })
  }

  /** @param url as requested, with its query */
  problemFor(method: string, url: string): Problem {
    const path = url.split('?', 1)[0] ?? ''
    for (const { pattern, methods } of this.#methods.values()) {
      if (!pattern.test(path)) continue
      const allow = [...methods].join(', ')
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
