import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@gyre/jobs'
import type { PutRecordCommand, RecordCondition } from './command.js'
import type { Reply } from './outcome.js'
import { LedgerHarness, toyHash } from './testing/ledger-harness.js'

type Options = Pick<PutRecordCommand, 'condition' | 'idempotency'>

function put(ledger: LedgerHarness, key: string, value: Json, options: Options = {}): Reply {
  return ledger.apply({ kind: 'put-record', key, id: toyHash(key), value, ...options })
}

function remove(ledger: LedgerHarness, key: string, options: Options = {}): Reply {
  return ledger.apply({ kind: 'delete-record', key, id: toyHash(key), ...options })
}

function versionOf(reply: Reply): number {
  assert.equal(reply.ok, true, JSON.stringify(reply))
  return (reply.ok && reply.version) || 0
}

const atVersion = (version: number): RecordCondition => ({ kind: 'version', version })

test('a record is created, updated, read with its version, and deleted', () => {
  const ledger = new LedgerHarness()
  const created = put(ledger, 'a', null)
  assert.equal(created.ok && created.result, 'created')
  const updated = put(ledger, 'a', { n: 1 })
  assert.equal(updated.ok && updated.result, 'updated')
  const read = ledger.query({ kind: 'record', key: 'a' })
  assert.equal(versionOf(read), versionOf(updated))
  assert.deepEqual(read.ok && JSON.parse(read.body ?? '').value, { n: 1 })
  assert.equal(remove(ledger, 'a').ok, true)
  const gone = ledger.query({ kind: 'record', key: 'a' })
  assert.equal(!gone.ok && gone.code, 'record_not_found')
})

test('versions of a key only rise, also across a deletion', () => {
  const ledger = new LedgerHarness()
  const versions = [versionOf(put(ledger, 'a', 1)), versionOf(put(ledger, 'a', 2))]
  remove(ledger, 'a')
  versions.push(versionOf(put(ledger, 'a', 3)))
  assert.deepEqual(
    versions,
    [...versions].sort((a, b) => a - b),
  )
  assert.equal(new Set(versions).size, 3)
})

test('of two writers who saw the same version one wins, and the other learns the new one', () => {
  const ledger = new LedgerHarness()
  const seen = versionOf(put(ledger, 'a', 1))
  const won = versionOf(put(ledger, 'a', 2, { condition: atVersion(seen) }))
  const lost = put(ledger, 'a', 3, { condition: atVersion(seen) })
  assert.equal(!lost.ok && lost.code, 'version_conflict')
  assert.deepEqual(!lost.ok && lost.details, { currentVersion: won })
})

test('a writer whose tag is no version is not told of one that it never sent', () => {
  const ledger = new LedgerHarness()
  put(ledger, 'a', 1)
  const refused = put(ledger, 'a', 2, { condition: atVersion(-1) })
  assert.equal(!refused.ok && refused.code, 'version_conflict')
  assert.match(
    refused.ok ? '' : refused.message,
    /expected a version that was never given out, but/,
  )
})

test('conditions on existence hold both ways, and a missing record has no current version', () => {
  const ledger = new LedgerHarness()
  const missing = put(ledger, 'a', 1, { condition: { kind: 'exists' } })
  assert.deepEqual(!missing.ok && missing.details, { currentVersion: null })
  assert.equal(put(ledger, 'a', 1, { condition: { kind: 'absent' } }).ok, true)
  assert.equal(put(ledger, 'a', 2, { condition: { kind: 'absent' } }).ok, false)
  assert.equal(put(ledger, 'a', 2, { condition: { kind: 'exists' } }).ok, true)
  assert.equal(remove(ledger, 'a', { condition: atVersion(1) }).ok, false)
  assert.equal(remove(ledger, 'missing').ok, true)
})

test('a repeated write under its key answers what it answered first, while nobody else wrote', () => {
  const ledger = new LedgerHarness()
  const idempotency = { key: '1'.repeat(32), fingerprint: 'f' }
  const condition = { kind: 'absent' } as const
  const first = put(ledger, 'a', 1, { idempotency, condition })
  const again = put(ledger, 'a', 1, { idempotency, condition })
  assert.equal(again.ok && again.result, 'created')
  assert.equal(again.ok && again.replayed, true)
  assert.equal(versionOf(again), versionOf(first))
  const other = put(ledger, 'a', 2, { idempotency: { ...idempotency, fingerprint: 'g' } })
  assert.equal(!other.ok && other.code, 'idempotency_key_reused')
  put(ledger, 'a', 2)
  assert.equal(put(ledger, 'a', 1, { idempotency, condition }).ok, false)
  const applied = put(ledger, 'a', 1, { idempotency })
  assert.equal(applied.ok && applied.replayed, undefined)
})

test('a repeated conditional deletion answers as the first did, while nobody wrote again', () => {
  const ledger = new LedgerHarness()
  const idempotency = { key: '2'.repeat(32), fingerprint: 'f' }
  const condition = atVersion(versionOf(put(ledger, 'a', 1)))
  assert.equal(remove(ledger, 'a', { idempotency, condition }).ok, true)
  const again = remove(ledger, 'a', { idempotency, condition })
  assert.equal(again.ok && again.replayed, true)
  put(ledger, 'a', 2)
  assert.equal(remove(ledger, 'a', { idempotency, condition }).ok, false)
})

test('records are listed by prefix in UTF-8 byte order, page by page', () => {
  const ledger = new LedgerHarness()
  const keys = ['p/b', 'p/\u{10000}', 'p/\uffff', 'q', 'p/', 'p', 'p/ä', 'p/B']
  for (const key of keys) put(ledger, key, 'big')
  const listed: string[] = []
  for (let after: string | undefined; ; ) {
    const from = after === undefined ? {} : { after }
    const reply = ledger.query({ kind: 'records', prefix: 'p/', limit: 2, ...from })
    const { items } = JSON.parse((reply.ok && reply.body) || '')
    listed.push(...items.map((item: { key: string }) => item.key))
    assert.equal(
      items.some((item: object) => 'value' in item),
      false,
    )
    if (items.length < 2) break
    after = listed.at(-1)
  }
  assert.deepEqual(listed, ['p/', 'p/B', 'p/b', 'p/ä', 'p/\uffff', 'p/\u{10000}'])
})

test('a record is found by its ID too', () => {
  const ledger = new LedgerHarness()
  put(ledger, 'a', 5)
  const reply = ledger.query({ kind: 'peek', id: toyHash('a') })
  const { kind, content } = JSON.parse((reply.ok && reply.body) || '')
  assert.deepEqual([kind, content.key, content.value], ['record', 'a', 5])
})
