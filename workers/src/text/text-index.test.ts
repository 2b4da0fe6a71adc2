import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ServiceContext } from '../sdk/index.js'
import { testContext } from '../testing/index.js'
import { count, list, merge, report, search } from './index.js'

/** Makes a named pipe; there is no call for it in Node. */
const MAKE_PIPE = 'mkfifo'

interface Folders {
  readonly root: string
  readonly folder: string
  readonly out: string
}

async function withFolders(body: (folders: Folders) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'gyre-text-'))
  const folder = join(root, 'texts')
  mkdirSync(folder)
  try {
    await body({ root, folder, out: join(root, 'out') })
  } finally {
    rmSync(root, { recursive: true })
  }
}

/** Words whose counts and index take several times what is read or written at a time. */
const MANY_WORDS = 20_000

function manyWords(): string {
  return Array.from({ length: MANY_WORDS }, (_, n) => `word${n}`).join(' ')
}

/** What the job `text-index` does, step by step. */
async function makeIndex({ folder, out }: Folders, chunkBytes = 1024, ctx = testContext()) {
  const listed = await list.run({ folder, out, chunkBytes }, ctx)
  const parts = []
  for (const chunk of listed.chunks) parts.push(await count.run({ folder, out, chunk }, ctx))
  const merged = await merge.run({ out, parts }, ctx)
  return { listed, parts, merged, report: await report.run({ out, index: merged.index }, ctx) }
}

test('every word is found with its true counts, in all files, over many chunks and merge passes', async () => {
  await withFolders(async (folders) => {
    const files = 150
    for (let file = 0; file < files; file += 1) {
      const own = `only${file} `.repeat(file + 1)
      const shared = file % 3 === 0 ? 'fizz Größe 日本語' : 'buzz'
      writeFileSync(
        join(folders.folder, `f${file}.txt`),
        `${own}${shared} common, common! ${'pad '.repeat(200)}`,
      )
    }
    const { listed, merged, report: summary } = await makeIndex(folders)
    assert.ok(listed.chunks.length > 64, 'more than two merge passes')
    assert.equal(merged.files, files)
    assert.equal(summary.top[0]?.word, 'pad')
    assert.equal(summary.top[0]?.count, files * 200)
    const ask = (query: string, limit = 100) =>
      search.run({ index: merged.index, query, limit }, testContext())
    for (let file = 0; file < files; file += 1) {
      const { hits } = await ask(`ONLY${file}`)
      assert.deepEqual(
        hits.map(({ path, counts }) => [path, counts]),
        [[`f${file}.txt`, { [`only${file}`]: file + 1 }]],
      )
    }
    assert.equal((await ask('fizz größe')).matches, 50)
    assert.deepEqual((await ask('日本語')).filesWith, { 日本語: 50 })
    for (const absent of ['aaaa', 'onl', 'only', 'only1500', 'zzz', '000']) {
      assert.equal((await ask(absent)).matches, 0, absent)
    }
  })
})

test('a word that two reads share is one word, and a run without end is none', async () => {
  await withFolders(async (folders) => {
    // The first read ends inside of the word, then inside of its second letter.
    for (const [name, before] of Object.entries({ 'a.txt': 65_534, 'b.txt': 65_535 })) {
      const text = `${'x '.repeat(before)}wörd tail ${'y'.repeat(300_000)}`
      writeFileSync(join(folders.folder, name), text)
    }
    const { merged } = await makeIndex(folders)
    const ask = (query: string) => search.run({ index: merged.index, query }, testContext())
    assert.deepEqual((await ask('wörd tail')).filesWith, { wörd: 2, tail: 2 })
    assert.equal((await ask('y'.repeat(64))).matches, 0)
    assert.equal(merged.terms, 2)
  })
})

test('an index of many more words than are read at a time has each of them', async () => {
  await withFolders(async (folders) => {
    writeFileSync(join(folders.folder, 'a.txt'), manyWords())
    const { merged } = await makeIndex(folders)
    assert.equal(merged.terms, MANY_WORDS)
    for (let n = 0; n < MANY_WORDS; n += 97) {
      const query = `word${n}`
      const { hits } = await search.run({ index: merged.index, query }, testContext())
      assert.deepEqual(hits[0]?.counts, { [query]: 1 })
    }
  })
})

test('a file with a rare word comes before files that repeat a common one', async () => {
  await withFolders(async (folders) => {
    for (const name of ['a', 'b', 'c', 'd']) {
      writeFileSync(join(folders.folder, name), 'tea '.repeat(20))
    }
    writeFileSync(join(folders.folder, 'z'), 'samovar')
    const { merged } = await makeIndex(folders)
    const query = { index: merged.index, query: 'tea samovar', limit: 2 }
    const { hits } = await search.run(query, testContext())
    assert.deepEqual(
      hits.map(({ path }) => path),
      ['z', 'a'],
    )
  })
})

test('links, loops, binaries, pipes, large files and deep folders are skipped and counted', async () => {
  await withFolders(async (folders) => {
    const at = (name: string): string => join(folders.folder, name)
    writeFileSync(at('good.txt'), 'good')
    writeFileSync(at('binary.bin'), Buffer.from([0x61, 0, 0x62]))
    writeFileSync(at('large.txt'), Buffer.alloc(8 * 1024 * 1024 + 1, 'a'))
    symlinkSync('.', at('loop'))
    symlinkSync('/nowhere', at('dangling'))
    execFileSync(MAKE_PIPE, [at('pipe')])
    mkdirSync(join(folders.folder, ...Array.from({ length: 65 }, () => 'd')), { recursive: true })
    const { listed, parts, merged } = await makeIndex(folders)
    assert.deepEqual(listed.skipped, {
      links: 2,
      special: 1,
      unreadable: 0,
      tooDeep: 1,
      tooLarge: 1,
    })
    assert.deepEqual(parts[0]?.skipped, { binary: 1, unreadable: 0 })
    assert.equal(merged.files, 1)
  })
})

const HANGS = { timeout: 20_000 }
test(
  'a file that became a pipe or vanished after it was listed is skipped, not waited for',
  HANGS,
  async () => {
    await withFolders(async ({ folder, out }) => {
      for (const name of ['a.txt', 'b.txt', 'c.txt']) writeFileSync(join(folder, name), 'text')
      const { chunks } = await list.run({ folder, out }, testContext())
      rmSync(join(folder, 'a.txt'))
      rmSync(join(folder, 'b.txt'))
      execFileSync(MAKE_PIPE, [join(folder, 'b.txt')])
      const counted = await count.run({ folder, out, chunk: chunks[0] ?? '' }, testContext())
      assert.deepEqual([counted.files, counted.skipped], [1, { binary: 0, unreadable: 2 }])
    })
  },
)

test('an empty folder gives an empty index that can be searched; a missing one says so', async () => {
  await withFolders(async (folders) => {
    const { merged, report: summary } = await makeIndex(folders)
    assert.deepEqual([summary.files, summary.terms, summary.top], [0, 0, []])
    const { hits } = await search.run({ index: merged.index, query: 'any' }, testContext())
    assert.deepEqual(hits, [])
    const missing = { folder: join(folders.root, 'nowhere'), out: folders.out }
    const gone = { code: 'folder_unreadable', retryable: false }
    await assert.rejects(Promise.resolve(list.run(missing, testContext())), gone)
  })
})

test('a repeated attempt writes the same files under the same names', async () => {
  await withFolders(async (folders) => {
    writeFileSync(join(folders.folder, 'a.txt'), 'one two')
    const first = await makeIndex(folders)
    const again = await makeIndex(folders, 1024, testContext({ attempt: 2, fence: 2 }))
    assert.deepEqual(again, first)
  })
})

test('an index inside the folder that it indexes does not index itself', async () => {
  await withFolders(async ({ root, folder }) => {
    writeFileSync(join(folder, 'a.txt'), 'one')
    const inside = { root, folder, out: join(folder, 'index') }
    await makeIndex(inside)
    assert.equal((await makeIndex(inside)).merged.files, 1)
  })
})

/** Undoes as the ledger does: newest step first, each with or without its output, twice. */
async function undo({ folder, out }: Folders, chunks: readonly string[], ctx: ServiceContext) {
  for (let round = 0; round < 2; round += 1) {
    await merge.compensate?.({ out, parts: [] }, null, ctx)
    for (const chunk of chunks) await count.compensate?.({ folder, out, chunk }, null, ctx)
    await list.compensate?.({ folder, out }, null, ctx)
  }
}

test('undoing removes what the job wrote, also without outputs, and out only if the job made it', async () => {
  await withFolders(async (folders) => {
    const { folder, out } = folders
    writeFileSync(join(folder, 'a.txt'), 'one')
    const { listed } = await makeIndex(folders)
    await undo(folders, listed.chunks, testContext())
    assert.equal(existsSync(out), false)
    mkdirSync(out)
    writeFileSync(join(out, 'mine.txt'), 'kept')
    await makeIndex(folders)
    await undo(folders, listed.chunks, testContext())
    assert.deepEqual(readdirSync(out), ['mine.txt'])
  })
})

test('undoing one job leaves the index of another with the same folders whole', async () => {
  await withFolders(async (folders) => {
    writeFileSync(join(folders.folder, 'a.txt'), 'one')
    const other = testContext({ job: 'f'.repeat(32) })
    const kept = await makeIndex(folders, 1024, other)
    const { listed } = await makeIndex(folders)
    await undo(folders, listed.chunks, testContext())
    const { hits } = await search.run({ index: kept.merged.index, query: 'one' }, other)
    assert.equal(hits.length, 1)
  })
})

test('undoing where nothing happened is no failure', async () => {
  await withFolders(async (folders) => {
    await undo(folders, ['a'.repeat(32)], testContext())
    assert.equal(existsSync(folders.out), false)
  })
})

test('what is no index, or half of one, is refused with what to do', async () => {
  await withFolders(async (folders) => {
    writeFileSync(join(folders.folder, 'a.txt'), 'one two three')
    const { merged } = await makeIndex(folders)
    const whole = readFileSync(merged.index)
    const other = join(folders.root, 'other.txt')
    writeFileSync(other, 'x'.repeat(100))
    const halves = [0, 1, whole.length >> 1, whole.length - 16].map((bytes) => {
      const half = join(folders.root, `half-${bytes}.txt`)
      writeFileSync(half, whole.subarray(0, bytes))
      return half
    })
    for (const index of [other, ...halves, join(folders.root, 'none'), folders.root]) {
      const asked = Promise.resolve(search.run({ index, query: 'one' }, testContext()))
      await assert.rejects(asked, { code: 'index_unreadable', retryable: false }, index)
    }
  })
})

test('an abort stops each service before it goes on', async () => {
  await withFolders(async (folders) => {
    const { folder, out } = folders
    writeFileSync(join(folder, 'a.txt'), manyWords())
    const { chunks } = await list.run({ folder, out }, testContext())
    const chunk = chunks[0] ?? ''
    const parts = [await count.run({ folder, out, chunk }, testContext())]
    const { index } = await merge.run({ out, parts }, testContext())
    const ctx = testContext({ signal: AbortSignal.abort() })
    const unborn = join(folders.root, 'unborn')
    const runs = {
      list: () => list.run({ folder, out: unborn }, ctx),
      count: () => count.run({ folder, out, chunk }, ctx),
      merge: () => merge.run({ out, parts }, ctx),
      search: () => search.run({ index, query: 'word1' }, ctx),
    }
    for (const [name, run] of Object.entries(runs)) {
      await assert.rejects(async () => run(), { name: 'AbortError' }, name)
    }
    assert.equal(existsSync(unborn), false, 'nothing was written')
  })
})

test('only files with the endings that were asked for are listed, in either case', async () => {
  await withFolders(async ({ folder, out }) => {
    for (const name of ['a.md', 'B.MD', 'c.txt', 'md']) writeFileSync(join(folder, name), 'one')
    const listed = await list.run({ folder, out, endings: ['.Md'] }, testContext())
    assert.equal(listed.files, 2)
    const chunk = readFileSync(join(out, testContext().job, 'chunks', `${listed.chunks[0]}.json`))
    assert.deepEqual(JSON.parse(chunk.toString()).files, [
      ['B.MD', 3],
      ['a.md', 3],
    ])
  })
})

test('a large folder is cut into larger chunks, not into more than a thousand', async () => {
  await withFolders(async ({ folder, out }) => {
    for (let n = 0; n < 1100; n += 1) writeFileSync(join(folder, `${n}.txt`), 'x'.repeat(600))
    const { chunks } = await list.run({ folder, out, chunkBytes: 1024 }, testContext())
    assert.equal(chunks.length, Math.ceil(1100 / 3), 'three files of 600 bytes in twice 1024')
  })
})

test('a file that grew after it was listed is read up to the limit of a file', async () => {
  await withFolders(async ({ folder, out }) => {
    writeFileSync(join(folder, 'a.txt'), 'one')
    const { chunks } = await list.run({ folder, out }, testContext())
    writeFileSync(join(folder, 'a.txt'), 'one '.repeat(3 * 1024 * 1024))
    const counted = await count.run({ folder, out, chunk: chunks[0] ?? '' }, testContext())
    assert.equal(counted.bytes, 8 * 1024 * 1024)
  })
})

test('a list or a part that somebody removed fails its step for good, and says what to do', async () => {
  await withFolders(async (folders) => {
    const { folder, out } = folders
    writeFileSync(join(folder, 'a.txt'), 'one')
    // The report has removed the lists and the parts.
    const { listed, parts } = await makeIndex(folders)
    const counting = { folder, out, chunk: listed.chunks[0] ?? '' }
    const again = { retryable: false, message: /submit again/ }
    await assert.rejects(async () => count.run(counting, testContext()), {
      code: 'chunk_missing',
      ...again,
    })
    await assert.rejects(async () => merge.run({ out, parts }, testContext()), {
      code: 'part_missing',
      ...again,
    })
  })
})
