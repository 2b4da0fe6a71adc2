import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BODY_BYTES_MAX } from './limits.js'

/**
 * What hooks and routes ask of a request again and again, as members of it: fastify makes
 * `routeOptions` anew whenever it is read, and a WeakMap beside the requests is work for each
 * collection of young objects.
 */
declare module 'fastify' {
  interface FastifyRequest {
    /** The pattern of its route; empty: it has none. */
    routePattern: string
    /** Longest body that its route takes. */
    bodyBytesMax: number
    /** True: its route looks at the parts of the body one by one, so that one is refused by itself. */
    checksJsonItself: boolean
    /** Size of its body as it came. */
    bodyBytes: number
    /** Bytes of its body that count as in flight (admission.ts). */
    bytesInFlight: number
  }

  interface FastifyContextConfig {
    readonly checksJsonItself?: true
    /** No body at all means `{}`. */
    readonly bodyIsOptional?: boolean
  }
}

export function decorateRequests(app: FastifyInstance): void {
  app.decorateRequest('routePattern', '')
  app.decorateRequest('bodyBytesMax', BODY_BYTES_MAX)
  app.decorateRequest('checksJsonItself', false)
  app.decorateRequest('bodyBytes', 0)
  app.decorateRequest('bytesInFlight', 0)
}

/** For the first hook. */
export function noteRoute(request: FastifyRequest): void {
  const { url, bodyLimit, config } = request.routeOptions
  request.routePattern = url ?? ''
  request.bodyBytesMax = bodyLimit ?? BODY_BYTES_MAX
  request.checksJsonItself = config.checksJsonItself === true
}
