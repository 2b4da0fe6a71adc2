import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CliError, EXIT } from './cli-error.js'
import { parseArcCount, parseCapacity, parseHostAndPort, parsePort } from './node-flags.js'

const isUsageError = (error: unknown): boolean =>
  error instanceof CliError && error.exitCode === EXIT.usage

test('an address is a host and a port, an IPv6 host in brackets', () => {
  assert.deepEqual(parseHostAndPort('127.0.0.1:7070'), { host: '127.0.0.1', port: 7070 })
  assert.deepEqual(parseHostAndPort('localhost:0'), { host: 'localhost', port: 0 })
  assert.deepEqual(parseHostAndPort('[::1]:65535'), { host: '::1', port: 65535 })
})

test('an address without a port, host or sense is wrong usage', () => {
  for (const text of ['7070', ':7070', 'host', 'host:', 'host:65536', 'host:-1', '::1:7070', '']) {
    assert.throws(() => parseHostAndPort(text), isUsageError, text)
  }
  for (const text of ['', 'x', '1.5', '99999']) assert.throws(() => parsePort(text), isUsageError)
})

test('arcs are a power of two up to 32768', () => {
  assert.equal(parseArcCount('1'), 1)
  assert.equal(parseArcCount('256'), 256)
  assert.equal(parseArcCount('32768'), 32768)
  for (const text of ['0', '3', '255', '65536', '-4', '1e3', 'many']) {
    assert.throws(() => parseArcCount(text), isUsageError, text)
  }
})

test('a capacity is a list of names with amounts, each once', () => {
  const capacity = { cpu: 0.5, memoryMb: 8192, gpu: 1 }
  assert.deepEqual(parseCapacity('cpu=0.5, memoryMb=8192,gpu=1'), capacity)
  for (const text of [
    '',
    'cpu',
    'cpu=',
    'cpu=-1',
    'cpu=1,cpu=2',
    'a b=1',
    'cpu=1,',
    '#threads=9',
  ]) {
    assert.throws(() => parseCapacity(text), isUsageError, text)
  }
})
