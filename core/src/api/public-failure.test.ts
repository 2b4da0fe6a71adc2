import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicFailure } from './public-failure.js'

function told(message: string, code = 'plugin_failed'): string {
  const error = { code, message, retryable: false }
  return publicFailure({ file: 'stock.ts', error }).error.message
}

test('a plugin’s failure does not tell where files stand on the host', () => {
  const missing = "it does not load: Cannot find module '/srv/acme/plugins/no.js' imported from"
  for (const [message, expected] of [
    [
      `${missing} /srv/acme/plugins/stock.ts`,
      "it does not load: Cannot find module 'no.js' imported from stock.ts",
    ],
    [
      `${missing} file:///srv/acme/plugins/stock.ts?v=1`,
      "it does not load: Cannot find module 'no.js' imported from stock.ts?v=1",
    ],
    [
      "it does not load: Cannot find module './x'\nRequire stack:\n- /srv/acme/a.js",
      "it does not load: Cannot find module './x'",
    ],
    [
      "ENOENT: no such file or directory, scandir '/srv/acme'; check its path",
      "ENOENT: no such file or directory, scandir 'acme'; check its path",
    ],
    ['it failed at C:\\acme\\plugins\\stock.ts:3:1', 'it failed at stock.ts:3:1'],
    ['SyntaxError: (/srv/acme/stock.ts:3:5)', 'SyntaxError: (stock.ts:3:5)'],
  ] as const) {
    assert.equal(told(message), expected)
  }
})

test('what is no path of the host stays as it is', () => {
  for (const message of [
    'and/or',
    'it is 1 / 2',
    'package @acme/stock has no "main"',
    'a/b/c.ts',
  ]) {
    assert.equal(told(message), message)
  }
  const pointer = '/steps/reserve/service must be string'
  assert.equal(told(pointer, 'definition_invalid'), pointer)
})

test('a file is told by its name in the plugin folder', () => {
  const error = { code: 'plugin_empty', message: 'it exports nothing', retryable: false }
  assert.equal(publicFailure({ file: '/srv/acme/stock.ts', error }).file, 'stock.ts')
  assert.equal(publicFailure({ file: 'text/index.js', error }).file, 'text/index.js')
})
