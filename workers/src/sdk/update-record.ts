import type { Json } from '@gyre/jobs'
import pRetry, { AbortError } from 'p-retry'
import type { DhtRecord, ServiceDht, UpdateOptions } from './service-dht.js'
import { ServiceError } from './service-error.js'

const ATTEMPTS_DEFAULT = 20
/** Pauses, ms: short at first, since a lost race is over when it is told. */
const PAUSE_MS_MIN = 2
const PAUSE_MS_MAX = 250

/** The update loop over any `get` and `put`: of a node, or of a test. See ServiceDht. */
export async function updateRecord(
  dht: Pick<ServiceDht, 'get' | 'put'>,
  key: string,
  change: (value: Json | undefined) => Json | Promise<Json>,
  options: UpdateOptions & { readonly signal?: AbortSignal } = {},
): Promise<DhtRecord> {
  const { attempts = ATTEMPTS_DEFAULT, signal } = options
  const once = async (): Promise<DhtRecord> => {
    const before = await dht.get(key)
    const value: Json | undefined = await change(before?.value)
    if (value === undefined) throw gaveNothing(key)
    const condition =
      before === undefined ? { ifAbsent: true as const } : { ifVersion: before.version }
    return dht.put(key, value, condition)
  }
  try {
    return await pRetry(() => once().catch(giveUpUnlessLost), {
      retries: attempts - 1,
      minTimeout: PAUSE_MS_MIN,
      maxTimeout: PAUSE_MS_MAX,
      randomize: true,
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    throw isLoss(error) ? contended(key, attempts, error) : error
  }
}

/** Only a lost race is run again here; what `change` threw, and any other refusal, is passed on. */
function giveUpUnlessLost(error: unknown): never {
  if (isLoss(error)) throw error
  throw error instanceof Error ? new AbortError(error) : new AbortError(String(error))
}

function isLoss(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'version_conflict'
}

/** In TypeScript it cannot; in JavaScript a forgotten `return` would wipe the record. */
function gaveNothing(key: string): ServiceError {
  const message = `the change of record ${key} gave nothing; return its new value, or delete the record`
  return new ServiceError('invalid_value', message, { retryable: false })
}

function contended(key: string, attempts: number, cause: unknown): ServiceError {
  const message =
    `record ${key} was changed by somebody else each of ${attempts} times; ` +
    'let fewer attempts write it at a time, or spread it over several keys'
  return new ServiceError('dht_contended', message, { cause })
}
