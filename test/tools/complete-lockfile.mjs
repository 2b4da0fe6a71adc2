/**
 * Completes package-lock.json after a change of dependencies.
 *
 * A lock file that was made against a registry without other systems' binaries lacks their entries,
 * and `npm ci` refuses it elsewhere ("Missing: @turbo/darwin-64"). What a package wants stands in its
 * own `optionalDependencies`: the exact version there; system, processor and C library are read from
 * the package's name, or asked of the registry, which also knows the integrity hash.
 *
 *   node test/tools/complete-lockfile.mjs           completes the file
 *   node test/tools/complete-lockfile.mjs --ask     also asks the registry about each missing package
 *   node test/tools/complete-lockfile.mjs --check   only says what is missing; exit code 1 then
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE = join(import.meta.dirname, '..', '..', 'package-lock.json')

/** Words in package names that differ from what Node calls the platform. */
const SYSTEMS = { windows: 'win32' }
const PROCESSORS = { 64: 'x64' }
const LIBRARIES = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' }

const lock = JSON.parse(readFileSync(FILE, 'utf8'))
const missing = missingEntries(lock.packages)

if (process.argv.includes('--check')) {
  for (const entry of missing) console.log(`missing: ${entry.name}@${entry.version}`)
  if (missing.length > 0) console.log('Run `node test/tools/complete-lockfile.mjs`.')
  process.exitCode = missing.length > 0 ? 1 : 0
} else {
  for (const entry of missing) lock.packages[`node_modules/${entry.name}`] = makeEntry(entry)
  lock.packages = sorted(lock.packages)
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${missing.length} entries added`)
}

/** Optional dependencies that no entry stands for, once each. */
function missingEntries(packages) {
  const missing = new Map()
  for (const [path, owner] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
      if (isPresent(packages, path, name) || !/^\d/.test(version)) continue
      missing.set(name, { name, version, owner })
    }
  }
  return [...missing.values()]
}

/** Looks where Node would: below the package itself, then in each folder above. */
function isPresent(packages, path, name) {
  for (let folder = path; ; folder = parentOf(folder)) {
    const prefix = folder === '' ? '' : `${folder}/`
    if (packages[`${prefix}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}

/** The package that `path` is nested in; a package at the top and a workspace are in the root. */
function parentOf(path) {
  const end = path.lastIndexOf('/node_modules/')
  return end === -1 ? '' : path.slice(0, end)
}

function makeEntry({ name, version, owner }) {
  const known = process.argv.includes('--ask') ? askRegistry(name, version) : null
  const { os, cpu, libc } = known ?? platformOf(name)
  return {
    version,
    ...(known?.['dist.integrity'] === undefined ? {} : { integrity: known['dist.integrity'] }),
    ...(cpu === undefined ? {} : { cpu: [cpu].flat() }),
    ...(owner.dev === true ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc].flat() }),
    ...(owner.license === undefined ? {} : { license: owner.license }),
    optional: true,
    ...(os === undefined ? {} : { os: [os].flat() }),
    ...(owner.engines === undefined ? {} : { engines: owner.engines }),
  }
}

function askRegistry(name, version) {
  const fields = ['os', 'cpu', 'libc', 'dist.integrity']
  const answer = spawnSync('npm', ['view', `${name}@${version}`, ...fields, '--json'], {
    encoding: 'utf8',
  })
  return answer.status === 0 && answer.stdout.trim() !== '' ? JSON.parse(answer.stdout) : null
}

/** `…/binding-linux-arm64-musl` → linux, arm64, musl; `…/darwin-64` → darwin, x64. */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-')
  if (['cli', 'binding'].includes(words[0])) words.shift()
  const [system, processor, library] = words
  if (system === 'wasm32') return { cpu: 'wasm32' }
  return {
    os: SYSTEMS[system] ?? system,
    cpu: PROCESSORS[processor] ?? processor,
    libc: LIBRARIES[library],
  }
}

/** In npm's own order, so that the next `npm install` moves no line. */
function sorted(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
}
