import type { JobOffer, OffersBody, PluginFailure } from '../../protocol/node/messages.js'
import { type LoadedService, looksLikeDefinition, readDefinition } from './definition.js'
import { MODULE_EXPORTS_MAX } from './limits.js'
import { importTypeScript } from './module-resolution.js'
import { messageOf, permanent } from './outcome.js'
import { findPlugins, isTypeScript, type PluginModule } from './plugin-files.js'
import type { BannedModule, ServicesLogLine, ThreadSetup } from './thread-messages.js'

export interface LoaderOptions {
  readonly setup: Pick<ThreadSetup, 'plugins' | 'banned' | 'loadMs'>
  /** Told before each import: from here on this module is to blame for silence or death. */
  readonly loading: (module: string) => void
  readonly log: (line: ServicesLogLine) => void
}

/**
 * Loads plugin modules one after the other and collects what they define. A module that fails, is
 * wrong, or does not come to an end is named in `failures` and stops nobody else.
 */
export class PluginLoader {
  readonly services = new Map<string, LoadedService>()
  readonly #options: LoaderOptions
  readonly #jobs = new Map<string, JobOffer>()
  readonly #failures: PluginFailure[] = []
  /** Services with a thread of their own → URL of their module. */
  readonly #isolated = new Map<string, string>()
  /** Which file defined a name: `service stock.reserve` → `stock.ts`. */
  readonly #definedIn = new Map<string, string>()

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  get offers(): OffersBody {
    return {
      services: [...this.services.values()].map((service) => service.offer),
      jobs: [...this.#jobs.values()],
      failures: this.#failures,
    }
  }

  get slots(): Record<string, number> {
    const entries = [...this.services.values()].map(({ offer }) => [offer.name, offer.concurrency])
    return Object.fromEntries(entries)
  }

  get isolated(): Record<string, string> {
    return Object.fromEntries(this.#isolated)
  }

  async loadAll(): Promise<void> {
    const { modules, failures } = findPlugins(this.#options.setup.plugins)
    for (const { file, message } of failures) this.#fail(file, 'plugin_folder_unreadable', message)
    for (const plugin of modules) await this.#load(plugin)
  }

  async #load(plugin: PluginModule): Promise<void> {
    const { banned, loadMs } = this.#options.setup
    const ban = banned.find(({ module }) => module === plugin.url)
    if (ban !== undefined) return this.#fail(plugin.file, `plugin_${ban.reason}`, banText(ban))
    this.#options.loading(plugin.url)
    let exported: unknown
    const slowMs = loadMs * SLOW_SHARE
    const slow = setTimeout(() => this.#log('warn', slowText(plugin.file, slowMs, loadMs)), slowMs)
    try {
      exported = await within(loadMs, importModule(plugin.url))
    } catch (error) {
      return this.#fail(plugin.file, 'plugin_failed', describeFailure(error))
    } finally {
      clearTimeout(slow)
    }
    if (exported === LATE) {
      const message = `it was still loading after ${loadMs} ms; move what it awaits into a handler`
      return this.#fail(plugin.file, 'plugin_load_timeout', message)
    }
    this.#collect(plugin, exported)
  }

  #collect(plugin: PluginModule, exported: unknown): void {
    const { file } = plugin
    let candidates: Set<unknown>
    try {
      candidates = candidatesOf(exported)
    } catch (error) {
      return this.#fail(file, 'plugin_failed', `its exports cannot be read: ${messageOf(error)}`)
    }
    if (candidates.size === 0) {
      const message =
        'it exports no service and no job; export what defineService or defineJob gave'
      return this.#fail(file, 'plugin_empty', message)
    }
    for (const candidate of candidates) this.#define(plugin, candidate)
  }

  #define({ file, url }: PluginModule, candidate: unknown): void {
    try {
      if (!looksLikeDefinition(candidate)) return
      const definition = readDefinition(candidate)
      if (definition.kind === 'invalid') {
        return this.#fail(file, 'definition_invalid', definition.message)
      }
      const isService = definition.kind === 'service'
      const { name } = isService ? definition.service.offer : definition.job
      const label = `${definition.kind} ${name}`
      const first = this.#definedIn.get(label)
      if (first !== undefined) {
        const message = `${label} is already defined in ${first}; rename one of them`
        return this.#fail(file, 'definition_duplicate', message)
      }
      this.#definedIn.set(label, file)
      if (isService) this.#addService(definition.service, url)
      else this.#jobs.set(name, definition.job)
      for (const warning of definition.warnings) this.#log('warn', `${file}: ${label} ${warning}`)
    } catch (error) {
      this.#fail(file, 'definition_invalid', `a definition cannot be read: ${messageOf(error)}`)
    }
  }

  #addService(service: LoadedService, url: string): void {
    const { name, isolation } = service.offer
    this.services.set(name, service)
    if (isolation === 'thread') this.#isolated.set(name, url)
  }

  #fail(file: string, code: string, message: string): void {
    this.#failures.push({ file, error: permanent(code, message) })
    this.#log('error', `plugin ${file} is left out: ${message}`)
  }

  #log(level: ServicesLogLine['level'], message: string): void {
    this.#options.log({ level, message, fields: {} })
  }
}

/** Of the time that loading may take: after it a module that still awaits something is named. */
const SLOW_SHARE = 1 / 6

function slowText(file: string, slowMs: number, loadMs: number): string {
  return (
    `plugin ${file} is still loading after ${Math.round(slowMs)} ms; the plugins after it and the ` +
    `node's start wait for it, and go on without it after ${loadMs} ms; move what it awaits into a handler`
  )
}

function importModule(url: string): Promise<unknown> {
  return isTypeScript(url) ? importTypeScript(url) : import(url)
}

const LATE = Symbol('the module did not finish loading')

function within(ms: number, loading: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(LATE), ms)
    loading.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}

/**
 * Exports that may be definitions, each once: one exported by name and by default is the same one. A
 * CommonJS module's exports stand one level deeper, under `default`.
 */
function candidatesOf(exported: unknown): Set<unknown> {
  const found = new Set<unknown>()
  const visit = (value: unknown, depth: number): void => {
    if (found.size > MODULE_EXPORTS_MAX)
      throw new Error(`more than ${MODULE_EXPORTS_MAX} definitions`)
    if (looksLikeDefinition(value)) {
      found.add(value)
    } else if (typeof value === 'object' && value !== null && depth < 3) {
      for (const member of Object.values(value)) visit(member, depth + 1)
    }
  }
  visit(exported, 0)
  return found
}

function banText({ reason }: BannedModule): string {
  return reason === 'blocked'
    ? 'it blocked its thread while it was loading; move what computes for long into a handler'
    : 'its thread died while it was loading it (process.exit, out of memory?); see the log above'
}

function describeFailure(error: unknown): string {
  const message = messageOf(error)
  if (message.includes('"cjs" output format')) {
    const remedy = 'put a package.json with "type": "module" into its folder'
    return `it uses a top-level await, which needs an ES module: ${remedy}`
  }
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
  return `it does not load: ${name}${message}`
}
