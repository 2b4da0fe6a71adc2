import { defineService } from '../sdk/index.js'
import { IndexReader } from './index-reader.js'
import { HITS_MAX, QUERY_WORDS_MAX } from './limits.js'
import { PATH_SCHEMA } from './work-folder.js'
import { wordsIn } from './words.js'

/** `text.search`: ranked answers from an index file. */
export const search = defineService({
  name: 'text.search',
  version: '1.0.0',
  description: 'Finds the files that speak most of the words of a query.',
  input: {
    type: 'object',
    properties: {
      index: PATH_SCHEMA,
      query: { type: 'string', minLength: 1, maxLength: 1000 },
      limit: { type: 'integer', minimum: 1, maximum: HITS_MAX },
    },
    required: ['index', 'query'],
  },
  timeout: '30s',
  async run({ index, query, limit = 10 }, { signal }) {
    const words = [...new Set(wordsIn(query))].slice(0, QUERY_WORDS_MAX)
    const reader = await IndexReader.open(index)
    try {
      const found = new Map<number, Hit>()
      const terms: Record<string, number> = {}
      for (const word of words) {
        signal.throwIfAborted()
        const postings = await reader.find(word)
        terms[word] = postings.length / 2
        score(found, word, postings, reader.summary.files)
      }
      const best = [...found].sort(byScore).slice(0, limit)
      const hits = []
      for (const [number, hit] of best) {
        const { path } = await reader.doc(number)
        hits.push({ path, score: Math.round(hit.score * 1000) / 1000, counts: hit.counts })
      }
      return { query, words, filesWith: terms, matches: found.size, hits }
    } finally {
      await reader.close()
    }
  },
})

interface Hit {
  score: number
  readonly counts: Record<string, number>
}

/** BM25 without length: a rare word weighs more, a repeated one less and less. */
function score(
  found: Map<number, Hit>,
  word: string,
  postings: readonly number[],
  files: number,
): void {
  const filesWith = postings.length / 2
  const rarity = Math.log(1 + (files - filesWith + 0.5) / (filesWith + 0.5))
  for (let at = 0; at + 1 < postings.length; at += 2) {
    const number = postings[at] ?? 0
    const count = postings[at + 1] ?? 0
    const hit = found.get(number) ?? { score: 0, counts: {} }
    hit.score += rarity * ((count * 2.2) / (count + 1.2))
    hit.counts[word] = count
    found.set(number, hit)
  }
}

/** Equal scores: the earlier file, so that the answer is the same each time. */
function byScore(a: readonly [number, Hit], b: readonly [number, Hit]): number {
  return b[1].score - a[1].score || a[0] - b[0]
}
