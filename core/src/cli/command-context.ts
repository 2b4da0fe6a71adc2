import { HttpClient } from './http-client.js'
import { Output } from './output.js'

const DEFAULT_URL = 'http://127.0.0.1:7070'

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean
  readonly url?: string
  readonly token?: string
}

/** What a command gets to work with. */
export interface CommandContext {
  readonly output: Output
  readonly client: HttpClient
}

export function makeContext(options: CommonOptions): CommandContext {
  return {
    output: new Output(options.json === true),
    client: new HttpClient({
      url: options.url ?? DEFAULT_URL,
      ...(options.token === undefined ? {} : { token: options.token }),
    }),
  }
}
