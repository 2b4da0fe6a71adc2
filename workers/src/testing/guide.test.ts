import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineService } from '../sdk/index.js'
import { runService } from './index.js'

const greet = defineService({
  name: 'people.greet',
  async run(name: string, ctx) {
    const { value } = await ctx.dht.update(`seen/${name}`, (before) => Number(before ?? 0) + 1)
    ctx.log.info('greeted', { times: Number(value) })
    return `Hello ${name}, for the ${value}. time`
  },
})

test('greets and counts', async () => {
  const run = runService(greet, 'Ada')
  assert.deepEqual(await run.ended, { kind: 'succeeded', output: 'Hello Ada, for the 1. time' })
  assert.equal((await run.ctx.dht.get('seen/Ada'))?.value, 1)
  assert.deepEqual(run.lines, [{ level: 'info', message: 'greeted', fields: { times: 1 } }])
})
