import type { Server } from 'node:http'
import { URL_LENGTH_MAX } from './limits.js'
import { Problem } from './problem.js'
import { writeProblem } from './raw-problem.js'

/** HTTP knows one expectation, `100-continue`; Node answers the others with 417 and no words. */
export function refuseExpectations(server: Server, servedBy: string): void {
  server.on('checkExpectation', (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]?.slice(0, URL_LENGTH_MAX) ?? '/'
    const detail = 'the only expectation that is known is 100-continue; leave Expect out'
    response.shouldKeepAlive = false
    writeProblem(response, new Problem('expectation_failed', detail), { path, servedBy })
  })
}
