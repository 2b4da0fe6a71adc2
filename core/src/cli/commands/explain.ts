import type { ExplanationBody } from '../api-shapes.js'
import type { CommandContext } from '../command-context.js'

/** Says why a job is where it is, and what would move it on. */
export async function explain({ client, output }: CommandContext, id: string): Promise<void> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/explain`
  const { body } = await client.call<ExplanationBody>('GET', path)
  await output.result(body, async () => {
    output.line(body.summary)
    output.line('')
    const rows = body.reasons.map(({ code, text }) => [code, text])
    await output.table(['REASON', 'TEXT'], rows)
    if (body.more > 0) output.line(`and ${body.more} more`)
  })
}
