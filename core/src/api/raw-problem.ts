import type { ServerResponse } from 'node:http'
import type { Problem } from './problem.js'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Answers a request that fastify never gets, as it would have answered it. */
export function writeProblem(
  response: ServerResponse,
  problem: Problem,
  { path, servedBy }: { readonly path: string; readonly servedBy: string },
): void {
  const body = JSON.stringify(problem.toBody(path))
  response.writeHead(problem.status, {
    ...problem.headers,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    'gyre-served-by': servedBy,
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
