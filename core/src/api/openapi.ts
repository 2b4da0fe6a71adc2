import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { ApiServer } from './api-server.js'

/** The OpenAPI 3.1 document, made of the schemas that validate requests, and its reader at /docs. */
export async function serveOpenApi(app: ApiServer, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gyre',
        version,
        description:
          'A peer-to-peer distributed job runner. Errors are RFC 9457 problems with a stable `code`.',
      },
      servers: [{ url: '/' }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `schema-${index}`,
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', theme: { title: 'The API of Gyre' } })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
