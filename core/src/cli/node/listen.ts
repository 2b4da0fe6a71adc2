import { createServer } from 'node:net'
import { type Api, type ApiOptions, requireLoopback, startApi } from '../../api/start-api.js'
import { AppError } from '../../base/app-error.js'

/** Ports tried after the wanted one before giving up. */
const FALLBACK_PORTS = 100

/**
 * Starts the API on the wanted port or, when that is in use and `portFallback` is set, on the next
 * free one.
 *
 * @throws AppError api_port_in_use, api_address_unusable
 */
export async function listen(options: ApiOptions & { portFallback: boolean }): Promise<Api> {
  const last = options.portFallback ? options.port + FALLBACK_PORTS : options.port
  for (let port = options.port; ; port += 1) {
    try {
      return await startApi({ ...options, port })
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE' && port < last) continue
      throw translated(error, options.host, port)
    }
  }
}

/**
 * Looks whether the API may and can listen where it is asked to, before anything is made on the disk:
 * a node that was refused its address leaves no folder behind.
 *
 * @throws AppError address_not_loopback, api_port_in_use, api_address_unusable
 */
export async function checkAddress(options: {
  readonly api: { readonly host: string; readonly port: number }
  readonly portFallback?: boolean
  readonly insecure?: boolean
}): Promise<void> {
  const { host, port } = options.api
  requireLoopback(host, options.insecure === true)
  if (options.portFallback === true) return
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject)
      probe.listen({ host, port, exclusive: true }, resolve)
    })
  } catch (error) {
    throw translated(error, host, port)
  } finally {
    probe.close()
  }
}

function translated(error: unknown, host: string, port: number): unknown {
  const where = `${host}:${port}`
  switch (codeOf(error)) {
    case 'EADDRINUSE': {
      const message = `the address ${where} is in use: choose another with --api, or stop what listens there`
      return new AppError('api_port_in_use', message, { cause: error })
    }
    case 'EACCES':
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND': {
      const message = `this process cannot listen on ${where}: choose an address of this machine with --api`
      return new AppError('api_address_unusable', message, { cause: error })
    }
    default:
      return error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
