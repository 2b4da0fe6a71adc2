import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
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
import { test, type TestContext } from 'node:test'
import type { ServiceError } from '../sdk/index.js'
import { type RunnableService, runService } from '../testing/index.js'
import { list, read, remove, write } from './index.js'

/** A root with a secret beside it, and links that lead there. */
function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-file-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'root')
  const beside = join(folder, 'beside')
  mkdirSync(root)
  mkdirSync(beside)
  mkdirSync(join(root, 'inner'))
  writeFileSync(join(beside, 'secret'), 'secret')
  writeFileSync(join(root, 'a.txt'), 'hällo')
  symlinkSync(join(beside, 'secret'), join(root, 'link'))
  symlinkSync(beside, join(root, 'door'))
  symlinkSync(root, join(root, 'loop'))
  const call = async <Input>(service: RunnableService<Input>, input: Input) => {
    const ended = await runService(service, input, { config: { file: { root } } }).ended
    if (ended.kind === 'succeeded') return ended.output
    const { code, retryable, message } = ended.error as ServiceError
    assert.doesNotMatch(message, /gyre-file-/, 'no host paths')
    return `${code} ${retryable ? 'retry' : 'never'}`
  }
  return { root, beside, call }
}

test('files are read and written whole, as text or bytes', async (t) => {
  const { root, call } = setup(t)
  assert.deepEqual(await call(read, { path: 'a.txt' }), {
    path: 'a.txt',
    bytes: 6,
    content: 'hällo',
  })
  const content = Buffer.from([0, 255, 1]).toString('base64')
  const input = {
    path: './new/deep/b.bin',
    content,
    encoding: 'base64',
    makeFolders: true,
  } as const
  assert.deepEqual(await call(write, input), { path: './new/deep/b.bin', bytes: 3 })
  assert.deepEqual(await call(write, input), { path: './new/deep/b.bin', bytes: 3 }, 'once more')
  assert.deepEqual([...readFileSync(join(root, 'new/deep/b.bin'))], [0, 255, 1])
  assert.deepEqual(readdirSync(join(root, 'new/deep')), ['b.bin'], 'nothing is left behind')
  const { content: again } = (await call(read, { path: 'new/deep/b.bin', encoding: 'base64' })) as {
    content: string
  }
  assert.equal(again, content)
})

test('what would be changed on its way is refused: bytes as text, and what is no base64', async (t) => {
  const { root, call } = setup(t)
  writeFileSync(join(root, 'raw'), Buffer.from([0xff, 0xfe]))
  assert.equal(await call(read, { path: 'raw' }), 'not_text never')
  for (const content of ['!!!!', 'AP8', 'AP8B\n']) {
    const input = { path: 'new', content, encoding: 'base64' } as const
    assert.equal(await call(write, input), 'not_base64 never')
  }
  assert.deepEqual(readdirSync(root).includes('new'), false)
})

test('no path leads out of the folder', async (t) => {
  const { root, beside, call } = setup(t)
  const ways = [
    ...[
      '../beside/secret',
      'inner/../../beside/secret',
      '/etc/passwd',
      join(beside, 'secret'),
      '..',
    ],
    ...['door/secret', 'loop/door/secret', 'a\0b', 'link'],
  ]
  for (const path of ways) {
    assert.equal(await call(read, { path }), 'path_refused never', `read ${path}`)
  }
  for (const path of ways.filter((way) => way !== 'link')) {
    assert.equal(await call(write, { path, content: 'x' }), 'path_refused never', `write ${path}`)
    assert.equal(await call(remove, { path }), 'path_refused never', `delete ${path}`)
    assert.equal(await call(list, { path }), 'path_refused never', `list ${path}`)
  }
  assert.equal(await call(write, { path: 'link', content: 'x' }), 'not_a_file never')
  assert.equal(await call(list, { path: 'door' }), 'not_a_folder never')
  assert.equal(
    await call(write, { path: 'door/new/x', content: 'x', makeFolders: true }),
    'path_refused never',
  )
  assert.equal(readFileSync(join(beside, 'secret'), 'utf8'), 'secret')
  assert.deepEqual(readdirSync(beside), ['secret'])
  assert.ok(existsSync(root))
})

test('a delete removes a link and not what it points to, and is done when there is nothing', async (t) => {
  const { root, beside, call } = setup(t)
  assert.deepEqual(await call(remove, { path: 'link' }), { path: 'link', deleted: true })
  assert.deepEqual(await call(remove, { path: 'link' }), { path: 'link', deleted: false })
  assert.deepEqual(await call(remove, { path: 'door' }), { path: 'door', deleted: true })
  assert.ok(existsSync(join(beside, 'secret')))
  assert.equal(await call(remove, { path: '.' }), 'path_refused never')
  assert.equal(await call(remove, { path: 'loop/../.' }), 'path_refused never')
  writeFileSync(join(root, 'inner', 'x'), '')
  assert.equal(await call(remove, { path: 'inner' }), 'file_failed never')
  await call(remove, { path: 'inner/x' })
  assert.deepEqual(await call(remove, { path: 'inner' }), { path: 'inner', deleted: true })
})

test('a folder is listed by name, its links told and not followed', async (t) => {
  const { call } = setup(t)
  assert.deepEqual(await call(list, { path: '.' }), {
    path: '.',
    entries: [
      { name: 'a.txt', kind: 'file' },
      { name: 'door', kind: 'link' },
      { name: 'inner', kind: 'folder' },
      { name: 'link', kind: 'link' },
      { name: 'loop', kind: 'link' },
    ],
    more: 0,
  })
})

test('what is missing, too large, no file or not allowed is told apart', async (t) => {
  const { root, call } = setup(t)
  assert.equal(await call(read, { path: 'none' }), 'file_not_found never')
  assert.equal(await call(read, { path: 'inner' }), 'not_a_file never')
  assert.equal(await call(write, { path: 'inner', content: '' }), 'not_a_file never')
  writeFileSync(join(root, 'big'), 'x'.repeat(128 * 1024 + 1))
  assert.equal(await call(read, { path: 'big' }), 'file_too_large never')
  assert.equal(
    await call(write, { path: 'big2', content: 'x'.repeat(128 * 1024 + 1) }),
    'file_too_large never',
  )
  assert.equal(lstatSync(join(root, 'big')).size, 128 * 1024 + 1)
  for (const config of [{}, { file: {} }, { file: { root: 'relative' } }]) {
    const ended = await runService(read, { path: 'a.txt' }, { config }).ended
    assert.equal(ended.kind === 'failed' && (ended.error as ServiceError).code, 'files_not_allowed')
  }
})
