#!/usr/bin/env node
// A committed stub: npm links a workspace's bin only if the file exists when it installs, so the
// command must be here before anything is built.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/cli/main.js', import.meta.url)

if (existsSync(fileURLToPath(main))) {
  await import(main.href)
} else {
  process.stderr.write('gyre is not built yet: run `npm run build` in the repository first.\n')
  process.exitCode = 1
}
