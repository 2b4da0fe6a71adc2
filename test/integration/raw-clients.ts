import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { NodeProcess } from './node-process.js'

/** Clients that send bytes of their own making, and what it costs the node. */

export const BATCH_HEAD =
  'POST /v1/jobs/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'

export function startEmptyNode(owner: Owner): Promise<NodeProcess> {
  return NodeProcess.start(owner, ['--data', temporaryFolder(owner), '--init'])
}

export function open(owner: Owner, url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  atEnd(owner, () => socket.destroy())
  return socket
}

/** What comes back until it matches; all of it when the node closes. */
export function answerTo(
  socket: Socket,
  bytes: string,
  until: RegExp | null = /"code"/,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part
      if (until?.test(text) === true) resolve(text)
    })
    socket.on('error', reject).on('close', () => resolve(text))
    socket.write(bytes, 'latin1')
  })
}

/** The most memory that the process ever held, as Linux counts it. */
export function peakMiB({ pid }: NodeProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024)
}
