import { join } from 'node:path'
import { INDEX_TAIL, IndexTotals } from './index-format.js'
import { MERGE_FAN_IN } from './limits.js'
import { BlockWriter } from './line-reader.js'
import { PartReader, parseDoc, parseWordLine, wordLine } from './part-file.js'

/**
 * Merges sorted parts into one index file, at most MERGE_FAN_IN at a time, by passes when there are
 * more. Holds one block per open part and one line, whatever the size of the whole.
 *
 * @param folder  takes the intermediate files; they stay until the folder is removed
 */
export async function mergeIntoIndex(
  parts: readonly string[],
  options: { readonly folder: string; readonly index: string; readonly signal: AbortSignal },
): Promise<IndexTotals> {
  let level = [...parts]
  for (let pass = 0; level.length > MERGE_FAN_IN; pass += 1) {
    const next: string[] = []
    for (let at = 0; at < level.length; at += MERGE_FAN_IN) {
      const target = join(options.folder, `${pass}-${next.length}.txt`)
      await mergeOnce(level.slice(at, at + MERGE_FAN_IN), target, options.signal, false)
      next.push(target)
    }
    level = next
  }
  return mergeOnce(level, options.index, options.signal, true)
}

async function mergeOnce(
  parts: readonly string[],
  target: string,
  signal: AbortSignal,
  isIndex: boolean,
): Promise<IndexTotals> {
  const readers: PartReader[] = []
  const writer = await BlockWriter.create(target)
  try {
    for (const part of parts) readers.push(await PartReader.open(part))
    const totals = new IndexTotals()
    await mergeDocs(readers, writer, totals)
    await mergeWords(readers, writer, totals, signal)
    if (isIndex) await writeTail(writer, totals)
    await writer.finish()
    return totals
  } finally {
    await writer.abandon()
    for (const reader of readers) await reader.close()
  }
}

async function mergeDocs(
  readers: readonly PartReader[],
  writer: BlockWriter,
  totals: IndexTotals,
): Promise<void> {
  const count = readers.reduce((sum, reader) => sum + reader.docCount, 0)
  writer.write(`{"docs":${count}}\n`)
  for (const reader of readers) {
    for (let doc = 0; doc < reader.docCount; doc += 1) {
      const line = await reader.nextDoc()
      totals.addDoc(parseDoc(line), writer.bytes)
      writer.write(`${line}\n`)
      if (writer.isFull) await writer.flush()
    }
  }
}

/** The next word of one part; `base` is what its document numbers are shifted by. */
interface Head {
  readonly reader: PartReader
  readonly base: number
  word: string
  postings: readonly number[]
}

async function mergeWords(
  readers: readonly PartReader[],
  writer: BlockWriter,
  totals: IndexTotals,
  signal: AbortSignal,
): Promise<void> {
  let heads: Head[] = []
  let base = 0
  for (const reader of readers) {
    const head: Head = { reader, base, word: '', postings: [] }
    if (await advance(head)) heads.push(head)
    base += reader.docCount
  }
  totals.wordsAt = writer.bytes
  while (heads.length > 0) {
    const word = smallestWord(heads)
    const postings: number[] = []
    const done = new Set<Head>()
    for (const head of heads) {
      if (head.word !== word) continue
      appendShifted(postings, head)
      if (!(await advance(head))) done.add(head)
    }
    if (done.size > 0) heads = heads.filter((head) => !done.has(head))
    totals.addWord(word, postings)
    writer.write(wordLine(word, postings))
    if (writer.isFull) {
      signal.throwIfAborted()
      await writer.flush()
    }
  }
  totals.wordsEnd = writer.bytes
}

async function advance(head: Head): Promise<boolean> {
  const line = await head.reader.nextWord()
  if (line === null) return false
  const { word, postings } = parseWordLine(line)
  head.word = word
  head.postings = postings
  return true
}

function smallestWord(heads: readonly Head[]): string {
  let smallest = heads[0]?.word ?? ''
  for (const { word } of heads) if (word < smallest) smallest = word
  return smallest
}

function appendShifted(postings: number[], { base, postings: own }: Head): void {
  for (let at = 0; at + 1 < own.length; at += 2) {
    postings.push((own[at] ?? 0) + base, own[at + 1] ?? 0)
  }
}

async function writeTail(writer: BlockWriter, totals: IndexTotals): Promise<void> {
  const offsetsAt = writer.bytes
  for (const offset of totals.docOffsets) {
    writer.write(`${String(offset).padStart(INDEX_TAIL.offsetDigits, '0')}\n`)
    if (writer.isFull) await writer.flush()
  }
  const footer = `${JSON.stringify({ ...totals.summary, offsetsAt })}\n`
  writer.write(footer)
  const length = String(Buffer.byteLength(footer))
  writer.write(`${length.padStart(INDEX_TAIL.lengthDigits, '0')}\n`)
}
