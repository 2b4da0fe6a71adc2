import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OTHER_SERVICES, SERVICE_LABELS_MAX, ServiceLabels } from './service-labels.js'

test('the first services keep their names, all further ones share one label', () => {
  const labels = new ServiceLabels()
  const names = Array.from({ length: SERVICE_LABELS_MAX + 5 }, (_, n) => `s${n}`)
  const given = names.map((name) => labels.of(name))
  assert.deepEqual(given.slice(0, SERVICE_LABELS_MAX), names.slice(0, SERVICE_LABELS_MAX))
  assert.deepEqual(new Set(given.slice(SERVICE_LABELS_MAX)), new Set([OTHER_SERVICES]))
  assert.equal(labels.of('s3'), 's3', 'a name that was given out stays')
})
