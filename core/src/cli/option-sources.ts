import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command, Option } from 'commander'
import { usageError } from './cli-error.js'
import { similarTo } from './similar.js'

/**
 * Fills in the options that the command line left out: from the environment (`GYRE_` and the flag's
 * name), then from `gyre.config.{ts,js,json}` in the current folder (the flag's name in camelCase).
 * Defaults come last and are the commands' own.
 */
export async function fillOptions(
  command: Command,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<void> {
  const file = await readConfigFile(folder)
  if (file !== null) checkNames(file, knownNames(command))
  for (const owner of [command, ...ancestorsOf(command)]) {
    for (const option of owner.options) {
      // A hidden option is for a process that Gyre starts itself.
      if (option.hidden) continue
      const name = option.attributeName()
      if (owner.getOptionValueSource(name) === 'cli') continue
      const variable = variableOf(option)
      // Set but empty is how shells and compose files leave a variable out.
      const fromEnvironment = environment[variable] ?? ''
      if (fromEnvironment !== '') {
        owner.setOptionValueWithSource(name, parse(option, fromEnvironment, variable), 'env')
      } else if (file !== null && Object.hasOwn(file.values, name)) {
        const value = parse(option, file.values[name], `${name} in ${file.name}`)
        owner.setOptionValueWithSource(name, value, 'config')
      }
    }
  }
}

/** Options of every command: one file serves all of them. */
function knownNames(command: Command): Set<string> {
  const root = ancestorsOf(command).at(-1) ?? command
  const all = (at: Command): Command[] => [at, ...at.commands.flatMap(all)]
  const options = all(root).flatMap((each) => each.options)
  return new Set(options.filter(({ hidden }) => !hidden).map((option) => option.attributeName()))
}

function checkNames(file: ConfigFile, known: ReadonlySet<string>): void {
  const unknown = Object.keys(file.values).find((name) => !known.has(name))
  if (unknown === undefined) return
  const similar = similarTo(unknown, [...known])
  throw usageError(
    `${file.name} sets ${unknown}, which is no option.`,
    similar === null ? 'Remove it.' : `Did you mean ${similar}?`,
  )
}

/** `--if-version` → `GYRE_IF_VERSION`; `--no-built-ins` → `GYRE_BUILT_INS`. */
function variableOf(option: Option): string {
  return `GYRE_${option.name().replace(/^no-/, '').replaceAll('-', '_').toUpperCase()}`
}

function ancestorsOf(command: Command): Command[] {
  return command.parent === null ? [] : [command.parent, ...ancestorsOf(command.parent)]
}

function parse(option: Option, value: unknown, origin: string): unknown {
  if (option.isBoolean() || option.negate) return parseSwitch(value, origin)
  const texts = (Array.isArray(value) ? value : [value]).flatMap((each) => textsOf(option, each))
  if (option.variadic) return texts.flatMap((text) => text.split(',')).filter((text) => text !== '')
  const text = texts.join(',')
  try {
    return option.parseArg === undefined ? text : option.parseArg(text, undefined)
  } catch (cause) {
    throw usageError(`${origin} cannot be ${text}: ${messageOf(cause)}`)
  }
}

/** An object stands for a list of `name=value` where the option takes one, else for its JSON. */
function textsOf(option: Option, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)]
  if (!option.flags.endsWith('<list>')) return [JSON.stringify(value)]
  return Object.entries(value).map(([name, member]) => `${name}=${String(member)}`)
}

function parseSwitch(value: unknown, origin: string): boolean {
  const text = String(value).toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(text)) return true
  if (['0', 'false', 'no', 'off', ''].includes(text)) return false
  throw usageError(`expected true or false for ${origin}, got ${text}.`)
}

interface ConfigFile {
  readonly name: string
  readonly values: Readonly<Record<string, unknown>>
}

async function readConfigFile(folder: string): Promise<ConfigFile | null> {
  const name = ['gyre.config.ts', 'gyre.config.js', 'gyre.config.json'].find((candidate) =>
    existsSync(join(folder, candidate)),
  )
  if (name === undefined) return null
  try {
    const content: unknown = await load(join(folder, name))
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      throw usageError('it must hold an object of option names and values')
    }
    return { name, values: { ...content } }
  } catch (cause) {
    throw usageError(
      `${name} cannot be used: ${messageOf(cause)}.`,
      'Correct the file, or remove it.',
    )
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

async function load(path: string): Promise<unknown> {
  if (path.endsWith('.json')) return JSON.parse(await readFile(path, 'utf8'))
  const address = pathToFileURL(path).href
  const module = path.endsWith('.ts') ? await loadTypeScript(address) : await import(address)
  return unwrapped(module.default) ?? { ...module }
}

/** A module that was compiled to CommonJS, as tsx does where no package.json says otherwise, has its default inside. */
function unwrapped(exported: unknown): unknown {
  if (typeof exported !== 'object' || exported === null || !('__esModule' in exported))
    return exported
  return 'default' in exported ? exported.default : exported
}

async function loadTypeScript(address: string) {
  const { tsImport } = await import('tsx/esm/api')
  return tsImport(address, import.meta.url)
}
