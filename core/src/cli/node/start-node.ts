import { createHash, randomBytes, randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { Worker } from 'node:worker_threads'
import { DirectoryLock } from '../../adapters/directory-lock.js'
import { makeFolderDurably } from '../../adapters/durable-folder.js'
import { folderVitals, processVitals } from '../../adapters/process-vitals.js'
import { RealFiles } from '../../adapters/real-files.js'
import { type HandlerSettings, NO_SETTINGS } from '../../adapters/services/handler-settings.js'
import { compileUserSchema } from '../../adapters/services/user-schema.js'
import { beginBoot, loadSuperblock } from '../../adapters/superblock.js'
import { SystemClock } from '../../adapters/system-clock.js'
import { ThreadLink } from '../../adapters/thread-link.js'
import { THREAD_YOUNG_MB } from '../../adapters/thread-memory.js'
import { makeVitalsMemory, noteVitals, readVitals } from '../../adapters/thread-vitals.js'
import type { NodeVitals } from '../../api/node-vitals.js'
import { AppError } from '../../base/app-error.js'
import type { FromApi, ToApi } from '../../protocol/node/messages.js'
import { EngineClient } from '../../runtime/engine-client.js'
import type { NodeIdentity } from '../../runtime/node-client.js'
import { VERSION } from '../version.js'
import { builtInModules } from './built-ins.js'
import { checkAddress, listen } from './listen.js'
import { NodeLife } from './node-life.js'
import { createThreadLog } from './thread-log.js'
import type { EngineSetup, NewNode, VitalsMemories } from './thread-setup.js'

export interface NodeOptions {
  readonly dataFolder: string
  /** `init` makes a new ring of one node in a folder that holds none; `resume` needs one. */
  readonly mode: 'init' | 'resume'
  readonly name?: string
  readonly api: { readonly host: string; readonly port: number }
  /** Takes the next free port when the wanted one is in use. */
  readonly portFallback?: boolean
  /** Arcs of a new ring; a power of two. */
  readonly arcCount?: number
  /** Folders of plugins. */
  readonly workers: readonly string[]
  readonly jobs: readonly string[]
  readonly builtIns: boolean
  readonly insecure?: boolean
  /** What handlers get of the node's configuration. */
  readonly settings?: HandlerSettings
  /** `cpu`, `memoryMb` and units; what is not named is measured. */
  readonly capacity?: Readonly<Record<string, number>>
  /** Of this node: what services may ask for. */
  readonly labels?: Readonly<Record<string, string>>
  /** What fails together: a rack, a building. */
  readonly zone?: string
  readonly logLevel?: string
}

export interface RunningNode {
  readonly identity: NodeIdentity
  readonly url: string
  /** Stops gracefully; idempotent. */
  stop(): Promise<void>
  /** Settles when the node has ended, by `stop` or by itself. */
  readonly closed: Promise<{ readonly code: number }>
}

/** Arcs of a new ring: room for 64 nodes at four arcs each. */
export const ARC_COUNT_DEFAULT = 256

/**
 * Starts one node in this process and resolves when it serves.
 *
 * @throws AppError what stands in the way, in one sentence with the way out; nothing is left running
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { dataFolder, mode } = options
  await checkAddress(options)
  if (mode === 'init') makeFolderDurably(dataFolder)
  const lock = DirectoryLock.take(dataFolder)
  try {
    const files = new RealFiles(dataFolder)
    const create = mode === 'init' ? newNode(files, options) : null
    const logEnd = create === null ? loadSuperblock(files).logEnd : 0
    const { zone = null, labels = {} } = options
    const identity = { ...identityOf(create ?? beginBoot(files)), zone, labels }
    return await run(options, { lock, logEnd, create, identity })
  } catch (error) {
    lock.release()
    throw error
  }
}

interface Opened {
  readonly lock: DirectoryLock
  /** The log never ends before this batch (superblock.ts). */
  readonly logEnd: number
  readonly create: NewNode | null
  readonly identity: NodeIdentity
}

async function run(options: NodeOptions, opened: Opened): Promise<RunningNode> {
  const { identity, lock } = opened
  const log = createThreadLog('api', options.logLevel ?? 'info')
  for (const message of withoutEffect(options, identity)) log.warn(message)
  const vitals = makeVitalsMemories()
  noteVitals(vitals.api)
  const worker = new Worker(new URL('./engine-thread.js', import.meta.url), {
    workerData: engineSetup(options, opened, vitals),
    resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MB },
  })
  const life = new NodeLife(worker)
  const client = new EngineClient({
    identity,
    link: new ThreadLink<FromApi, ToApi>(worker),
    clock: new SystemClock(),
    events: {
      onServing: () => life.becomeServing(),
      // The services thread has logged which plugins it left out, and why.
      onOffers: () => {},
      onStopped: () => life.becomeStopped(),
      onAlarm: (code, message) => log.error({ code, dataFolder: options.dataFolder }, message),
      onAlarmOver: (code, message) => log.warn({ code }, message),
      onFatal: (code, message) => life.fail(new AppError(code, message)),
    },
  })
  client.start()
  life.onFailure((error) => log.fatal({ code: codeOf(error) }, error.message))
  await life.serving
  const api = await listen({
    client,
    ...options.api,
    portFallback: options.portFallback ?? false,
    insecure: options.insecure ?? false,
    compileSchema: compileUserSchema,
    vitals: () => nodeVitals(vitals, options.dataFolder),
    report: (error) => log.error({ err: error }, "a request failed by the node's own fault"),
  }).catch(async (error: unknown) => {
    await life.end()
    throw error
  })
  const stop = async (): Promise<void> => {
    if (!life.beginStop()) return void (await life.closed)
    api.beginStop()
    client.stop()
    await life.stopped
    await api.close()
    await life.end()
    lock.release()
  }
  return { identity, url: api.url, stop, closed: life.closed }
}

/** What was decided when the folder was made, and asked for otherwise now. */
function withoutEffect(options: NodeOptions, { name, arcCount }: NodeIdentity): string[] {
  const keeps: string[] = []
  if (options.name !== undefined && options.name !== name) {
    keeps.push(`the node keeps the name ${name} that it was made with; --name has no effect`)
  }
  if (options.arcCount !== undefined && options.arcCount !== arcCount) {
    keeps.push(`the ring keeps the ${arcCount} arcs that it was made with; --arcs has no effect`)
  }
  return keeps
}

function makeVitalsMemories(): VitalsMemories {
  const make = makeVitalsMemory
  return { api: make(), engine: make(), ledger: make(), services: make() }
}

function nodeVitals(memories: VitalsMemories, dataFolder: string): NodeVitals {
  const threads = Object.entries(memories).map(([thread, memory]) => [thread, readVitals(memory)])
  return {
    threads: Object.fromEntries(threads),
    process: processVitals(),
    folder: folderVitals(dataFolder),
  }
}

function engineSetup(
  options: NodeOptions,
  { identity, create, logEnd }: Opened,
  vitals: VitalsMemories,
): EngineSetup {
  return {
    dataFolder: options.dataFolder,
    self: { node: identity.nodeId, boot: identity.bootEpoch },
    arcCount: identity.arcCount,
    seed: randomInt(2 ** 47),
    create,
    logEnd,
    plugins: {
      modules: options.builtIns ? builtInModules() : [],
      folders: [...options.workers, ...options.jobs],
    },
    capacity: options.capacity ?? {},
    labels: options.labels ?? {},
    settings: options.settings ?? NO_SETTINGS,
    logLevel: options.logLevel ?? 'info',
    vitals,
  }
}

/** @throws AppError data_folder_not_empty when a node lives in the folder */
function newNode(files: RealFiles, options: NodeOptions): NewNode {
  if (files.exists('superblock-a') || files.exists('superblock-b')) {
    loadSuperblock(files)
    throw new AppError(
      'data_folder_not_empty',
      `a node lives in ${options.dataFolder} already: start it without --init, or choose an empty folder`,
    )
  }
  const arcCount = options.arcCount ?? ARC_COUNT_DEFAULT
  const storeId = randomBytes(16).toString('hex')
  return {
    clusterId: randomBytes(16).toString('hex'),
    nodeId: firstNodeId(storeId),
    storeId,
    name: options.name ?? hostname(),
    arcCount,
    prefixLen: Math.log2(arcCount),
    hashName: 'sha256-128',
    recoveryGen: 0,
    maxTimeSeen: Date.now(),
  }
}

/**
 * A node's ID is its place on the ring: the upper 64 bits bisect the largest gap, which for the first
 * node is the whole circle; the lower 64 come from its store, so that a place is never reused.
 */
function firstNodeId(storeId: string): string {
  const lower = createHash('sha256').update(`node\0${storeId}`).digest('hex').slice(0, 16)
  return `${'0'.repeat(16)}${lower}`
}

function identityOf(
  known: NewNode & { readonly bootEpoch?: number },
): Omit<NodeIdentity, 'zone' | 'labels'> {
  const { clusterId, nodeId, storeId, name, arcCount, bootEpoch = 1 } = known
  return { clusterId, nodeId, storeId, name, arcCount, bootEpoch, version: VERSION }
}

function codeOf(error: Error): string {
  return error instanceof AppError ? error.code : 'internal_error'
}
