import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressGuard } from './address-guard.js'

test('addresses of the world are let through, those inside a network are not', () => {
  const guard = new AddressGuard([])
  for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1']) {
    assert.equal(guard.allowsAddress(address), true, address)
  }
  const inside = [
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254'],
    ...[
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...['::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe'],
    ...[
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fec0::1',
      'ff02::1',
    ],
  ]
  for (const address of inside) assert.equal(guard.allowsAddress(address), false, address)
})

test('what the owner allows is let through, and nothing beside it', () => {
  const guard = new AddressGuard([
    '10.1.0.0/16',
    '127.0.0.1',
    'fd00::/8',
    'Build.intern',
    'local:8080',
  ])
  assert.equal(guard.allowsAddress('10.1.2.3'), true)
  assert.equal(guard.allowsAddress('10.2.0.1'), false)
  assert.equal(guard.allowsAddress('127.0.0.1'), true)
  assert.equal(guard.allowsAddress('127.0.0.2'), false)
  assert.equal(guard.allowsAddress('fd00::1'), true)
  assert.equal(guard.allowsHost('build.INTERN', 1), true)
  assert.equal(guard.allowsHost('local', 8080), true)
  assert.equal(guard.allowsHost('local', 8081), false)
})
