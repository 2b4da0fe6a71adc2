import { Type } from '@gyre/jobs/typebox'
import type { ApiServer } from './api-server.js'

const NoQuery = Type.Object({}, { additionalProperties: false })

/**
 * Routes of the API that name no query parameters take none: one that is overlooked would be a
 * filter or a condition that its sender believes in. Probes and scrapers may send what they like.
 */
export function closeQueries(app: ApiServer): void {
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/v1/')) return
    route.schema = { ...route.schema, querystring: route.schema?.querystring ?? NoQuery }
  })
}
