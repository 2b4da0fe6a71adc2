import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { BINARY_PROBE_BYTES, BLOCK_BYTES, FILE_BYTES_MAX } from './limits.js'

export type TextFileRead =
  | { readonly ok: true; readonly bytes: number }
  | { readonly ok: false; readonly reason: 'binary' | 'unreadable' }

/**
 * Reads a file as UTF-8, a block at a time, and hands the pieces on. A file that is binary (a NUL in
 * its first bytes), not a regular file any more, or cannot be read is passed over. Stops at
 * FILE_BYTES_MAX bytes if the file grew since it was listed.
 */
export async function readTextFile(
  path: string,
  signal: AbortSignal,
  take: (text: string) => void,
): Promise<TextFileRead> {
  // NONBLOCK: a pipe that took the file's place must not be waited for. NOFOLLOW: nor a link followed.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
  const file = await open(path, flags).catch(() => null)
  if (file === null) return { ok: false, reason: 'unreadable' }
  try {
    if (!(await file.stat()).isFile()) return { ok: false, reason: 'unreadable' }
    return await readBlocks(file, signal, take)
  } catch (error) {
    if (signal.aborted) throw error
    return { ok: false, reason: 'unreadable' }
  } finally {
    await file.close()
  }
}

async function readBlocks(
  file: FileHandle,
  signal: AbortSignal,
  take: (text: string) => void,
): Promise<TextFileRead> {
  const decoder = new StringDecoder('utf8')
  const block = Buffer.alloc(BLOCK_BYTES)
  let bytes = 0
  while (bytes < FILE_BYTES_MAX) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES)
    if (bytesRead === 0) break
    const read = block.subarray(0, bytesRead)
    if (bytes === 0 && read.subarray(0, BINARY_PROBE_BYTES).includes(0)) {
      return { ok: false, reason: 'binary' }
    }
    bytes += bytesRead
    take(decoder.write(read))
  }
  take(decoder.end())
  return { ok: true, bytes }
}
