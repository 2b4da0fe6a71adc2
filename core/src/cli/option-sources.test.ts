import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Command, Option } from 'commander'
import { temporaryFolder } from '../adapters/testing/temporary-folder.js'
import { CliError, EXIT } from './cli-error.js'
import { fillOptions } from './option-sources.js'

interface Setup {
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly config?: { readonly name: string; readonly text: string }
}

/** The options that a command with one flag of each kind ends up with. */
async function optionsFrom(t: TestContext, { args = [], environment = {}, config }: Setup) {
  const folder = temporaryFolder(t)
  if (config !== undefined) await writeFile(join(folder, config.name), config.text)
  const program = new Command().option('--url <url>')
  const command = program
    .command('go')
    .option('--if-version <n>', '', (text) => Number(text))
    .option('--init')
    .option('--no-built-ins')
    .option('--workers <dir...>')
    .option('--capacity <list>')
    .addOption(new Option('--inner').hideHelp())
    .action(() => {})
  program.parse(['go', ...args], { from: 'user' })
  await fillOptions(command, environment, folder)
  return command.optsWithGlobals()
}

const isUsageError = (error: unknown): boolean =>
  error instanceof CliError && error.exitCode === EXIT.usage

test('a flag wins over the environment, the environment over the file', async (t) => {
  const config = { name: 'gyre.config.json', text: '{"url":"file","ifVersion":3}' }
  const environment = { GYRE_URL: 'environment' }
  const fromAll = await optionsFrom(t, { args: ['--if-version', '7'], environment, config })
  assert.deepEqual(fromAll, { builtIns: true, url: 'environment', ifVersion: 7 })
  const fromFile = await optionsFrom(t, { config })
  assert.deepEqual(fromFile, { builtIns: true, url: 'file', ifVersion: 3 })
})

test('an object in the file stands for a list where a list is taken, else for its JSON', async (t) => {
  const text = '{"url":{"a":1},"capacity":{"cpu":4,"gpu":1}}'
  const options = await optionsFrom(t, { config: { name: 'gyre.config.json', text } })
  assert.deepEqual([options['url'], options['capacity']], ['{"a":1}', 'cpu=4,gpu=1'])
})

test('switches and lists have a form in the environment', async (t) => {
  const environment = { GYRE_INIT: '1', GYRE_BUILT_INS: 'false', GYRE_WORKERS: 'a,b' }
  const options = await optionsFrom(t, { environment })
  assert.deepEqual(options, { init: true, builtIns: false, workers: ['a', 'b'] })
})

test('a hidden switch, which is for processes of Gyre, is set by nobody from outside', async (t) => {
  const options = await optionsFrom(t, { environment: { GYRE_INNER: '1' } })
  assert.deepEqual(options, { builtIns: true })
  const config = { name: 'gyre.config.json', text: '{"inner":true}' }
  await assert.rejects(optionsFrom(t, { config }), isUsageError)
})

test('a name in the file that is no option is wrong usage, with the one that was meant', async (t) => {
  const told = async (text: string): Promise<string> => {
    const config = { name: 'gyre.config.json', text }
    const error: unknown = await optionsFrom(t, { config }).catch((thrown: unknown) => thrown)
    assert(error instanceof CliError && error.exitCode === EXIT.usage, text)
    return `${error.message} ${error.remedy}`
  }
  const beside = 'gyre.config.json sets'
  assert.equal(
    await told('{"wokers":["x"]}'),
    `${beside} wokers, which is no option. Did you mean workers?`,
  )
  assert.match(await told('{"built-ins":false}'), /Did you mean builtIns\?/)
  assert.equal(await told('{"colour":"red"}'), `${beside} colour, which is no option. Remove it.`)
})

test('a configuration file may be JavaScript or TypeScript', async (t) => {
  const javascript = { name: 'gyre.config.js', text: 'export default { workers: ["x"] }' }
  assert.deepEqual((await optionsFrom(t, { config: javascript })).workers, ['x'])
  const typescript = { name: 'gyre.config.ts', text: 'export const url: string = "typed"' }
  assert.equal((await optionsFrom(t, { config: typescript })).url, 'typed')
})

test('a value that makes no sense is wrong usage and names its origin', async (t) => {
  await assert.rejects(optionsFrom(t, { environment: { GYRE_INIT: 'perhaps' } }), /GYRE_INIT/)
  await assert.rejects(optionsFrom(t, { environment: { GYRE_INIT: 'perhaps' } }), isUsageError)
  const config = { name: 'gyre.config.json', text: '[1]' }
  await assert.rejects(optionsFrom(t, { config }), /gyre\.config\.json/)
})

test('a variable that is set but empty counts as left out', async (t) => {
  const config = { name: 'gyre.config.json', text: '{"url":"file","init":true}' }
  const options = await optionsFrom(t, { environment: { GYRE_URL: '', GYRE_INIT: '' }, config })
  assert.deepEqual(options, { builtIns: true, url: 'file', init: true })
})

test('a TypeScript file needs no package.json beside it', async (t) => {
  const config = { name: 'gyre.config.ts', text: `export default { url: 'typed' as string }` }
  assert.equal((await optionsFrom(t, { config }))['url'], 'typed')
})
