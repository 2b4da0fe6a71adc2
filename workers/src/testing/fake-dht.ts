import { type Json, jsonText, RECORD_KEY_BYTES_MAX, utf8Length } from '@gyre/jobs'
import {
  type DhtCondition,
  type DhtRecord,
  ServiceError,
  type ServiceDht,
  updateRecord,
} from '../sdk/index.js'

/** A hash table in memory with the versions and refusals of the real one, for tests. */
export function fakeDht(records: Readonly<Record<string, Json>> = {}): ServiceDht {
  const held = new Map<string, DhtRecord>()
  let version = 0
  const check = (key: string, condition: DhtCondition | undefined): void => {
    if (condition === undefined) return
    const found = held.get(key)?.version
    const wanted = 'ifVersion' in condition ? condition.ifVersion : undefined
    if (found !== wanted) throw lost(key)
  }
  const put = (key: string, value: Json, condition?: DhtCondition): DhtRecord => {
    checkKey(key)
    const copy = checkedValue(key, value)
    check(key, condition)
    version += 1
    const updatedAt = new Date(version).toISOString()
    const record = { key, id: idOf(key), value: copy, version, updatedAt }
    held.set(key, record)
    return structuredClone(record)
  }
  for (const [key, value] of Object.entries(records)) put(key, value)
  const dht: ServiceDht = {
    get: async (key) => {
      checkKey(key)
      return structuredClone(held.get(key))
    },
    put: async (key, value, condition) => put(key, value, condition),
    delete: async (key, condition) => {
      checkKey(key)
      check(key, condition)
      held.delete(key)
    },
    update: (key, change, options) => updateRecord(dht, key, change, options),
  }
  return dht
}

function checkKey(key: string): void {
  const bytes = utf8Length(key)
  if (bytes > 0 && bytes <= RECORD_KEY_BYTES_MAX) return
  const message = `a key has 1 to ${RECORD_KEY_BYTES_MAX} bytes of UTF-8, this one ${bytes}`
  throw new ServiceError('invalid_key', message, { retryable: false })
}

function checkedValue(key: string, value: unknown): Json {
  const json = jsonText(value)
  if (json.ok) return JSON.parse(json.text)
  const code = json.isTooLarge ? 'payload_too_large' : 'invalid_value'
  const message = `record ${key} cannot hold this: the value ${json.message}`
  throw new ServiceError(code, message, { retryable: false })
}

function lost(key: string): ServiceError {
  return new ServiceError('version_conflict', `record ${key} was changed by somebody else`)
}

/** Not the node's hash: only as long as one. */
function idOf(key: string): string {
  return Buffer.from(key).toString('hex').padEnd(32, '0').slice(0, 32)
}
