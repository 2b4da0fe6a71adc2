import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RaftScript } from './interpreter/raft-script.js'

const FOLDER = join(import.meta.dirname, '..', '..', 'golden', 'raft')

/** A script's lines: `# …` says what it shows, `> …` is played, the rest is what must come of it. */
function played(text: string): string {
  const script = new RaftScript()
  const lines: string[] = []
  for (const line of text.split('\n')) {
    const isProse = line.startsWith('#') || line === ''
    if (isProse) lines.push(line)
    if (!line.startsWith('> ')) continue
    lines.push(line)
    for (const told of script.play(line.slice(2))) lines.push(`  ${told}`)
  }
  return lines.join('\n')
}

for (const name of readdirSync(FOLDER)) {
  test(`raft script ${name} is played as written`, () => {
    const path = join(FOLDER, name)
    const expected = readFileSync(path, 'utf8')
    const found = played(expected)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, found)
    else assert.equal(found, expected)
  })
}
