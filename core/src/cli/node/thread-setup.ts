import type { Superblock } from '../../adapters/superblock.js'
import type { Capacity } from '../../adapters/services/capacity.js'
import type { HandlerSettings } from '../../adapters/services/handler-settings.js'
import type { PluginSources } from '../../adapters/services/thread-messages.js'

/** What the main thread tells the engine thread at its start. */
export interface EngineSetup {
  readonly dataFolder: string
  readonly self: { readonly node: string; readonly boot: number }
  readonly arcCount: number
  /** Seed of this life's dice (retry jitter), from the system's entropy. */
  readonly seed: number
  /** Set for a new node: its log is created first, then this is written as its superblock. */
  readonly create: NewNode | null
  /** Number of the log's last batch at the last clean shutdown; 0: none yet. */
  readonly logEnd: number
  readonly plugins: PluginSources
  /** What the owner says the node has; the rest is measured. */
  readonly capacity: Capacity
  /** Services may ask for them. */
  readonly labels: Readonly<Record<string, string>>
  /** What handlers get of the node's configuration. */
  readonly settings: HandlerSettings
  readonly logLevel: string
  readonly vitals: VitalsMemories
}

/** Where each thread notes how it is (adapters/thread-vitals.ts). */
export interface VitalsMemories {
  readonly api: SharedArrayBuffer
  readonly engine: SharedArrayBuffer
  readonly ledger: SharedArrayBuffer
  readonly services: SharedArrayBuffer
}

/** Identity of a node that does not exist yet. */
export type NewNode = Omit<Superblock, 'format' | 'bootEpoch' | 'cleanShutdown' | 'logEnd'>

/** What the engine thread tells the ledger thread at its start. */
export interface LedgerSetup {
  /** False: the log is damaged and could not rebuild a state; one that is damaged too stays as it is. */
  readonly mayRebuild: boolean
  readonly dataFolder: string
  readonly self: { readonly node: string; readonly boot: number }
  readonly arcCount: number
  readonly logLevel: string
  readonly vitals: SharedArrayBuffer
}
