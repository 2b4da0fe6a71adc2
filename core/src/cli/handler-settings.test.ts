import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../adapters/testing/temporary-folder.js'
import { CliError } from './cli-error.js'
import { readHandlerSettings } from './handler-settings.js'

test('configuration comes from a file or as it is, secrets from file and environment', (t) => {
  const file = join(temporaryFolder(t), 'secrets.json')
  writeFileSync(file, '{"token":"from-file","other":"o"}')
  const options = { workerConfig: '{"region":"eu"}', workerSecrets: file }
  const environment = { GYRE_SECRET_token: 'from-environment', GYRE_SECRET_more: 'm', HOME: '/x' }
  assert.deepEqual(readHandlerSettings(options, environment), {
    config: { region: 'eu' },
    secrets: { token: 'from-environment', other: 'o', more: 'm' },
  })
  assert.deepEqual(readHandlerSettings({}, {}), { config: {}, secrets: {} })
})

test('a wrong file is wrong usage, told without what stands in it', (t) => {
  const file = join(temporaryFolder(t), 'secrets.json')
  for (const text of ['hunter2 {', '["hunter2"]', '{"name":{"hunter2":1}}']) {
    writeFileSync(file, text)
    const read = () => readHandlerSettings({ workerSecrets: file }, {})
    assert.throws(
      read,
      (error) => error instanceof CliError && !/hunter2/.test(error.message),
      text,
    )
  }
  assert.throws(() => readHandlerSettings({ workerConfig: '/no/such' }, {}), CliError)
})
