import assert from 'node:assert/strict'
import type { Answer, RestClient } from './rest-client.js'

/** Forty jobs with this input, which comes back as their output, fill a segment of the log. */
export const BIG = 'x'.repeat(200 * 1024)

/** Submits large jobs one by one. @returns those acknowledged, and the first answer that is not 202 */
export async function submitUntilRefused(
  client: RestClient,
  jobsMax: number,
): Promise<{ ids: readonly string[]; refusal: Answer | null }> {
  const ids: string[] = []
  while (ids.length < jobsMax) {
    const answer = await client.submit({ service: 'test.echo', input: BIG })
    if (answer.status !== 202) return { ids, refusal: answer }
    ids.push(answer.body.id)
  }
  return { ids, refusal: null }
}

/** Submits until the node takes a job again; each answer is a turn of the node. */
export async function accepted(client: RestClient): Promise<void> {
  for (let look = 0; look < 2000; look += 1) {
    const { status } = await client.submit({ service: 'test.echo', input: 1 })
    if (status === 202) return
  }
  assert.fail('the node refuses jobs although nothing is lacking any more')
}

/** Every one of these jobs is there and ends well. */
export async function allSucceeded(client: RestClient, ids: readonly string[]): Promise<void> {
  for (const id of ids) assert.equal((await client.finished(id)).status, 'succeeded', id)
}
