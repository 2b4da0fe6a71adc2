import { BlockList, isIP } from 'node:net'

/**
 * Which addresses a request may go to. A node stands inside a network whose private services trust
 * their neighbours; a URL comes from whoever submits jobs. So private, loopback, link-local (where
 * clouds keep their metadata), shared, reserved and multicast addresses are refused, also in the forms
 * of IPv6 that carry an IPv4 address, unless the node's owner allows them.
 *
 * It is asked with the address that a connection is about to be made to: after the look-up, so that a
 * name cannot answer twice with different addresses.
 */
export class AddressGuard {
  readonly #allowed = new BlockList()
  readonly #allowedHosts = new Set<string>()

  /** @param allow  hosts (`build.intern`), hosts with port (`127.0.0.1:8080`), addresses, networks (`10.1.0.0/16`) */
  constructor(allow: readonly string[]) {
    for (const entry of allow) this.#allow(entry)
  }

  /** True when the owner has allowed this host by name, whatever it resolves to. */
  allowsHost(host: string, port: number): boolean {
    const name = host.toLowerCase()
    return this.#allowedHosts.has(name) || this.#allowedHosts.has(`${name}:${port}`)
  }

  allowsAddress(address: string): boolean {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    return this.#allowed.check(address, family) || !REFUSED.check(address, family)
  }

  #allow(entry: string): void {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address)
    if (family === 0) this.#allowedHosts.add(entry.toLowerCase())
    else if (bits === undefined) this.#allowed.addAddress(address, family === 6 ? 'ipv6' : 'ipv4')
    else this.#allowed.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
  }
}

const REFUSED = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  REFUSED.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  // Unspecified, loopback and the old way to carry IPv4; mapped addresses are checked as IPv4.
  ['::', 96],
  // Translators to IPv4 and tunnels through it: whatever network is behind them.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  REFUSED.addSubnet(network, bits, 'ipv6')
}
