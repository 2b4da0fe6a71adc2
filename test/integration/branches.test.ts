import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { ownerOfThisFile } from './file-owner.js'
import { NodeProcess } from './node-process.js'
import { type Job, RestClient } from './rest-client.js'

const file = ownerOfThisFile()
let rest: RestClient

before(async () => {
  const data = temporaryFolder(file)
  const node = await NodeProcess.start(file, ['--data', data, '--init'])
  rest = RestClient.open(file, node.url)
})

async function run(submission: object): Promise<Job> {
  const { status, body } = await rest.submit(submission)
  assert.equal(status, 202, JSON.stringify(body))
  return rest.finished(body.id)
}

function statuses({ steps }: Job): Record<string, string> {
  return Object.fromEntries(steps.map(({ name, status }) => [name, status]))
}

test('of two branches the one runs whose condition is met, and the join gets null for the other', async () => {
  const echo = { service: 'test.echo' }
  const steps = {
    check: { ...echo, input: { $from: '/input/ok' } },
    yes: { ...echo, input: 'yes', when: { $from: '/steps/check/output', equals: true } },
    no: { ...echo, input: 'no', when: { $from: '/steps/check/output', equals: false } },
    afterNo: { ...echo, needs: ['no'] },
    join: {
      ...echo,
      needs: ['yes', 'no'],
      onSkippedNeed: 'run',
      input: [{ $from: '/steps/yes/output' }, { $from: '/steps/no/output' }],
    },
  }
  const job = await run({ steps, input: { ok: true }, output: { $from: '/steps/join/output' } })
  assert.equal(job.status, 'succeeded')
  assert.deepEqual(job.output, ['yes', null])
  const shown = statuses(job)
  assert.deepEqual([shown['no'], shown['afterNo']], ['skipped', 'skipped'])
  const { body } = await rest.call('GET', `/v1/jobs/${job.id}/history`)
  const told = body.items.filter(({ type }: { type: string }) => type === 'step_skipped')
  assert.deepEqual(
    told.map(({ step, need = null }: { step: string; need?: string | null }) => [step, need]),
    [
      ['no', null],
      ['afterNo', 'no'],
    ],
  )
})

test('when a job fails its failure step is told why, then the job is compensated', async () => {
  const steps = {
    reserve: { service: 'test.echo', input: 'shelf' },
    charge: {
      service: 'test.fail',
      needs: ['reserve'],
      input: { message: 'card refused', retryable: false },
    },
    tell: { service: 'test.echo', onFailure: true, input: { $from: '/failure' } },
  }
  const job = await run({ steps })
  assert.equal(job.status, 'compensated')
  assert.equal(job.error?.message.includes('card refused'), true)
  const { body } = await rest.call('GET', `/v1/jobs/${job.id}`)
  const tell = body.steps.find(({ name }: { name: string }) => name === 'tell')
  assert.equal(tell.output.step, 'charge')
  assert.equal(tell.output.error.code, 'test_failed')
})

test('conditions and failure steps that contradict themselves are 400 and name the place', async () => {
  const echo = { service: 'test.echo' }
  const wrong: [object, string][] = [
    [{ a: { ...echo, when: { $from: '/input' } } }, '/steps/a/when'],
    [{ a: { ...echo, when: { $from: '/input', equals: 1, exists: true } } }, '/steps/a/when'],
    [{ a: { ...echo, onFailure: true } }, '/steps'],
    [{ a: echo, b: { ...echo, onFailure: true, needs: ['a'] } }, '/steps/b'],
    [{ a: { ...echo, input: { $from: '/failure/step' } } }, '/steps/a/input'],
  ]
  for (const [steps, path] of wrong) {
    const { status, body } = await rest.submit({ steps })
    assert.equal(status, 400, JSON.stringify(steps))
    assert.equal(body.errors[0].path, path)
  }
})
