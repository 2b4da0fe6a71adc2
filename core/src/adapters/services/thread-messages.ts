import type { AbortReason, Dispatch } from '../../protocol/node/messages.js'
import type { HandlerSettings } from './handler-settings.js'

/**
 * What passes between the supervisor (engine thread) and the services thread. A post is one array of
 * strings, two for each message: its head as JSON, and its bulky `body` as it is (empty for none).
 */

export type ToThread =
  | {
      readonly kind: 'run'
      /** Names the attempt in shared memory; 1 … 2^31 − 1. */
      readonly serial: number
      readonly dispatch: Dispatch
    }
  | { readonly kind: 'abort'; readonly attempt: string; readonly reason: AbortReason }
  /** Answer to a call. `body`: JSON of RecordAnswer. */
  | { readonly kind: 'answer'; readonly call: number; readonly body: string }

export type FromThread =
  /** The module that is loaded next: the one to blame if nothing is heard any more. */
  | { readonly kind: 'loading'; readonly module: string }
  | {
      readonly kind: 'ready'
      readonly slots: Readonly<Record<string, number>>
      /** Services with a thread of their own → URL of the module that defines it. */
      readonly isolated: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'ended'; readonly attempt: string; readonly body: string }
  /** A handler asks the hash table. `body`: JSON of RecordCall. */
  | { readonly kind: 'call'; readonly call: number; readonly body: string }
  | ({ readonly kind: 'log' } & ServicesLogLine)

/** A line for the node's log, from a handler or about one. */
export interface ServicesLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** There when it says how far the attempt is: it takes the place of the progress line before it. */
  readonly progress?: ProgressNote
  /** Lines of its attempt right before it that were too many to leave the thread; absent: none. */
  readonly dropped?: number
}

/** As a handler said it; `done` and `total` are finite and ≥ 0. */
export interface ProgressNote {
  readonly done: number
  readonly total?: number
  readonly note?: string
}

/** Given to the thread as its first message, with its port. */
export interface ThreadSetup {
  readonly beat: SharedArrayBuffer
  /** Where it notes how it is; absent: it does not. */
  readonly vitals?: SharedArrayBuffer
  readonly beatMs: number
  readonly plugins: PluginSources
  /** Modules that ended or blocked an earlier life of the thread, and are left out. */
  readonly banned: readonly BannedModule[]
  readonly loadMs: number
  readonly settings: HandlerSettings
}

/** What to load, in this order. */
export interface PluginSources {
  /** Modules by name or URL: the built-ins. */
  readonly modules: readonly string[]
  /** Folders of plugin files. */
  readonly folders: readonly string[]
}

export interface BannedModule {
  readonly module: string
  readonly reason: 'blocked' | 'died'
}

/** As in outcome.ts: taken before any plugin is loaded. */
const { stringify } = JSON

export function pack(messages: readonly (ToThread | FromThread)[]): string[] {
  const packed: string[] = []
  for (const message of messages) {
    const [head, body] = splitBody(message)
    packed.push(stringify(head), body)
  }
  return packed
}

function splitBody(message: ToThread | FromThread): [object, string] {
  if (message.kind === 'run') {
    return [{ ...message, dispatch: { ...message.dispatch, body: '' } }, message.dispatch.body]
  }
  if ('body' in message) return [{ ...message, body: '' }, message.body]
  return [message, '']
}

export function unpackToThread(packed: readonly string[]): ToThread[] {
  return unpack(packed) as ToThread[]
}

export function unpackFromThread(packed: readonly string[]): FromThread[] {
  return unpack(packed) as FromThread[]
}

interface Head {
  body?: string
  readonly dispatch?: { body: string }
}

function unpack(packed: readonly string[]): Head[] {
  const messages: Head[] = []
  for (let at = 0; at + 1 < packed.length; at += 2) {
    const head: Head = JSON.parse(packed[at] ?? '')
    const body = packed[at + 1] ?? ''
    if (head.dispatch !== undefined) head.dispatch.body = body
    else if (head.body !== undefined) head.body = body
    messages.push(head)
  }
  return messages
}
