import { lookup as systemLookup } from 'node:dns'
import { isIP } from 'node:net'
import { Agent } from 'undici'
import { giveUp } from '../sdk/index.js'
import { AddressGuard } from './address-guard.js'
import { SILENCE_MS_MAX } from './limits.js'

/** As `dns.lookup` with `all: true`. */
export type Lookup = (
  host: string,
  options: { readonly all: true },
  done: (error: Error | null, addresses: readonly LookedUp[]) => void,
) => void

export interface LookedUp {
  readonly address: string
  readonly family: number
}

/** The kind of look-up that sockets want: one address or all of them. */
type SocketLookup = (
  host: string,
  options: { readonly all?: boolean },
  done: (error: Error | null, address?: string | LookedUp[], family?: number) => void,
) => void

/** Connections of one request: only to addresses that the guard lets through, none of them kept. */
export class GuardedAgent {
  readonly #guard: AddressGuard
  readonly #guarded: Agent
  /** For hosts that the owner has allowed by name. */
  readonly #open: Agent

  constructor(allow: readonly string[], lookup: Lookup = systemLookup) {
    this.#guard = new AddressGuard(allow)
    this.#guarded = makeAgent(lookup, (address) => this.#guard.allowsAddress(address))
    this.#open = makeAgent(lookup, () => true)
  }

  /**
   * The agent that may reach this URL. A literal address is looked at here: sockets look up names only.
   *
   * @throws ServiceError `address_refused`
   */
  agentFor(url: URL): Agent {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    if (this.#guard.allowsHost(host, port)) return this.#open
    if (isIP(host) !== 0 && !this.#guard.allowsAddress(host)) throw refused(host)
    return this.#guarded
  }

  async close(): Promise<void> {
    await Promise.all([this.#guarded.destroy(), this.#open.destroy()])
  }
}

function makeAgent(lookup: Lookup, isAllowed: (address: string) => boolean): Agent {
  const guarded: SocketLookup = (host, { all }, done) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error !== null) return done(error)
      const usable = addresses.filter(({ address }) => isAllowed(address))
      const [first] = usable
      if (first === undefined) return done(refused(host))
      if (all === true) done(null, usable)
      else done(null, first.address, first.family)
    })
  }
  return new Agent({
    // Its type knows one of the two forms that sockets ask in.
    connect: { lookup: guarded as never, timeout: SILENCE_MS_MAX },
    headersTimeout: SILENCE_MS_MAX,
    bodyTimeout: SILENCE_MS_MAX,
  })
}

function refused(host: string): Error {
  return giveUp(
    'address_refused',
    `${host} is a private, local or reserved address, which http.request does not go to; ` +
      'the node\'s owner can allow it in "http.request": {"allow": […]} of --worker-config',
  )
}
