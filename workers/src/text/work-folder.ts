import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { giveUp, type ServiceContext } from '../sdk/index.js'

/**
 * Where one indexing job keeps its files: `out/JOB/`. A folder per job, so that undoing one job never
 * takes a file away that another one with the same `out` refers to, however equal their contents.
 *
 *   chunks/CHUNK.json          lists of files, named by content hash
 *   parts/CHUNK-HASH.txt       counts of one chunk, named by the chunk's hash and their own
 *   merge/                     intermediate merges
 *   index-HASH.txt             the index
 *   made-out                   says that `out` itself did not exist before
 *
 * Every file is written under a temporary name and renamed, so a name that exists is complete; the
 * temporary name holds the attempt's fence, so an attempt that was given up cannot write into the
 * file of its successor.
 */
export class WorkFolder {
  readonly path: string
  readonly #out: string
  readonly #fence: number

  constructor(out: string, ctx: Pick<ServiceContext, 'job' | 'fence'>) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(ctx.job)) throw giveUp('bad_job', 'the job has no proper ID')
    this.#out = out
    this.#fence = ctx.fence
    this.path = join(out, ctx.job)
  }

  get chunks(): string {
    return join(this.path, 'chunks')
  }
  get parts(): string {
    return join(this.path, 'parts')
  }
  get merges(): string {
    return join(this.path, 'merge')
  }

  async create(): Promise<void> {
    const madeOut = (await mkdir(this.#out, { recursive: true })) !== undefined
    await mkdir(this.chunks, { recursive: true })
    await mkdir(this.parts, { recursive: true })
    if (madeOut) await writeFile(join(this.path, 'made-out'), '')
  }

  /** A name to write under before `publish`. */
  draft(folder: string, name: string): string {
    return join(folder, `${name}.${this.#fence}.tmp`)
  }

  /** Gives a draft its final name; the same content may have been published before. */
  async publish(draft: string, folder: string, name: string): Promise<void> {
    await rename(draft, join(folder, name))
  }

  async writeText(folder: string, name: string, text: string): Promise<void> {
    const draft = this.draft(folder, name)
    await writeFile(draft, text)
    await this.publish(draft, folder, name)
  }

  /** Removes the files of a folder whose names open with `prefix`; absent ones are no matter. */
  async removeAll(folder: string, prefix: string): Promise<number> {
    const names = await namesIn(folder)
    const mine = names.filter((name) => name.startsWith(prefix))
    for (const name of mine) await rm(join(folder, name), { force: true })
    return mine.length
  }

  async removeFolder(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true })
  }

  /** The last undo: what is left of the job's folder, and `out` if this job made it and it is empty. */
  async removeEverything(): Promise<void> {
    const madeOut = (await namesIn(this.path)).includes('made-out')
    await this.removeFolder(this.path)
    if (madeOut) await rmdir(this.#out).catch(() => undefined)
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

/** 32 hex digits of SHA-256. */
export function contentHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

export const HASH_SCHEMA = { type: 'string', pattern: '^[0-9a-f]{32}$' } as const
export const PATH_SCHEMA = { type: 'string', minLength: 1, maxLength: 4096 } as const
