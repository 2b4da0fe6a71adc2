import { assert } from '../../base/assert.js'

/**
 * Freezes a row's value through and through, so that a writer into a shared row is caught at once;
 * for tests and the simulator.
 *
 * @throws AssertionError when the value would not come back equal from its JSON text: then a row in
 *   memory and the same row after a restart would differ
 */
export function freezeRow(value: object, path = ''): void {
  if (Object.isFrozen(value)) return
  const prototype: unknown = Object.getPrototypeOf(value)
  assert(
    prototype === Object.prototype || prototype === Array.prototype || prototype === null,
    `row value${path} is not plain JSON`,
  )
  for (const [name, member] of Object.entries(value)) freezeMember(member, `${path}.${name}`)
  Object.freeze(value)
}

function freezeMember(member: unknown, path: string): void {
  if (typeof member === 'object' && member !== null) return freezeRow(member, path)
  const plain =
    member === null ||
    typeof member === 'string' ||
    typeof member === 'boolean' ||
    (typeof member === 'number' && Number.isFinite(member) && !Object.is(member, -0))
  assert(plain, `row value${path} is not JSON: ${typeof member}`)
}
