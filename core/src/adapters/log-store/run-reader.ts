import { crc32 } from 'node:zlib'
import type { LogIndex } from '../../base/ids.js'
import type { Files } from '../../ports/files.js'
import type { LogEntry } from '../../ports/log-store.js'
import type { ArcIndex } from './arc-index.js'
import { decodeEntries } from './batch-reader.js'
import { type BodyPlace, SECTOR_BYTES, SECTOR_PAYLOAD_BYTES, unstamp } from './format.js'
import type { Run } from './run-list.js'
import { orRefused, unreadable } from './unreadable.js'

/** Reads entries where the index says that they stand; each body's checksum is verified at each read. */
export class RunReader {
  readonly #files: Files
  readonly #pathOf: (segment: number) => string

  constructor(files: Files, pathOf: (segment: number) => string) {
    this.#files = files
    this.#pathOf = pathOf
  }

  /** @throws AppError log_unreadable */
  readRuns(arc: ArcIndex, from: LogIndex, to: LogIndex): LogEntry[] {
    const entries: LogEntry[] = []
    for (let index = arc.runs.find(from); index < arc.runs.count; index += 1) {
      const run = arc.runs.at(index)
      if (run.first > to) break
      const last = Math.min(run.last, to)
      for (const entry of this.#readRun(run, Math.max(run.first, from), last)) entries.push(entry)
    }
    if (entries.length === to - from + 1) return entries
    throw unreadable(`entries ${from} to ${to} of arc ${arc.arc} are not all there`)
  }

  /** @throws AppError log_unreadable */
  readWhole(run: Run): LogEntry[] {
    return this.#readRun(run, run.first, run.last)
  }

  #readRun(run: Run, from: LogIndex, to: LogIndex): LogEntry[] {
    return decodeEntries(this.#readBody(run.body), run.first, { from, to })
  }

  #readBody({ segment, position, bytes, crc }: BodyPlace): Buffer {
    const firstSector = Math.floor(position / SECTOR_PAYLOAD_BYTES)
    const endSector = Math.ceil((position + bytes) / SECTOR_PAYLOAD_BYTES)
    const path = this.#pathOf(segment)
    const length = (endSector - firstSector) * SECTOR_BYTES
    const found = orRefused(() => this.#files.readAt(path, firstSector * SECTOR_BYTES, length))
    if (found.length < length) throw unreadable(`${path} ends before offset ${position + bytes}`)
    const sectors = Buffer.from(found.buffer, found.byteOffset, found.byteLength)
    const body = unstamp(sectors, position - firstSector * SECTOR_PAYLOAD_BYTES, bytes)
    if (crc32(body) !== crc) {
      const offset = firstSector * SECTOR_BYTES
      throw unreadable(`${path}, offset ${offset}: a checksum does not hold`)
    }
    return body
  }
}
