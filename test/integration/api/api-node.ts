import { connect } from 'node:net'
import { before } from 'node:test'
import { atEnd, type Owner } from '@gyre/core/internal/adapters/testing/at-end.js'
import { temporaryFolder } from '@gyre/core/internal/adapters/testing/temporary-folder.js'
import { type RunningNode, startNode } from '@gyre/core/internal/cli/node/start-node.js'
import { ownerOfThisFile } from '../file-owner.js'
import { RestClient } from '../rest-client.js'

/** A whole node in this process, shared by the tests of one file: they use different jobs and keys. */
export class ApiNode {
  #node: RunningNode | undefined
  #rest: RestClient | undefined

  /** Starts before the first test of the file and ends after its last. */
  static forThisFile(): ApiNode {
    const node = new ApiNode()
    const file = ownerOfThisFile()
    before(() => node.#start(file))
    return node
  }

  get url(): string {
    return this.#node?.url ?? ''
  }

  get rest(): RestClient {
    if (this.#rest === undefined) throw new Error('the node has not started yet')
    return this.#rest
  }

  async stop(): Promise<void> {
    await this.#node?.stop()
  }

  /** Sends bytes as they are and gives all that comes back until the connection ends. */
  raw(bytes: string | Uint8Array): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(this.url).port), '127.0.0.1', () => socket.write(bytes))
      let text = ''
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part
        if (isComplete(text)) socket.destroy()
      })
      socket.on('close', () => resolve(parseAnswer(text)))
      socket.on('error', (error) => (text === '' ? reject(error) : undefined))
      socket.setTimeout(10_000, () => socket.destroy())
    })
  }

  async #start(owner: Owner): Promise<void> {
    this.#node = await startNode({
      dataFolder: temporaryFolder(owner),
      mode: 'init',
      name: 'api-test',
      arcCount: 8,
      api: { host: '127.0.0.1', port: 0 },
      workers: [],
      jobs: [],
      builtIns: true,
      logLevel: 'silent',
    })
    atEnd(owner, () => this.stop())
    this.#rest = RestClient.open(owner, this.#node.url)
  }
}

export interface RawAnswer {
  readonly status: number
  readonly head: string
  /** The problem's or answer's JSON; undefined when the body is none. */
  readonly body: ReturnType<typeof JSON.parse>
}

function isComplete(text: string): boolean {
  const [head, body] = splitOnce(text)
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  return body !== undefined && length !== undefined && Buffer.byteLength(body) >= Number(length)
}

function parseAnswer(text: string): RawAnswer {
  const [head, body = ''] = splitOnce(text)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
  return { status, head, body: body.startsWith('{') ? JSON.parse(body) : undefined }
}

function splitOnce(text: string): [string, string | undefined] {
  const end = text.indexOf('\r\n\r\n')
  return end < 0 ? [text, undefined] : [text.slice(0, end), text.slice(end + 4)]
}
