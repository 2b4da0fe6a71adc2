import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

test('TypeBox is built as one file that loads no other', () => {
  const built = readFileSync(new URL('./typebox.js', import.meta.url), 'utf8')
  const loaded = [...built.matchAll(/\bfrom\s*["'][^"']+["']|^import\b.*/gm)].map(([line]) => line)
  assert.deepEqual(loaded, [], 'run `npm run build`: tsc alone leaves the bundle out')
})
