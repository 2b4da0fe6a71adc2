import fc from 'fast-check'
import { anyJson } from './from-schema.js'

/** What makes a good request bad: wrong in its meaning, its types, its text or its bytes. */

/** Names that reach into careless code, or that nobody has heard of. */
const NAMES = ['__proto__', 'constructor', 'toString', 'unknown', '', '$from', 'a'.repeat(600)]

const nastyValues: fc.Arbitrary<unknown> = fc.oneof(
  anyJson,
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    0.1,
    '',
    '\ud800',
    'a\u0000b',
    '(a+)+$',
    '9'.repeat(400),
    [],
    {},
    true,
  ),
  fc.integer({ min: 1, max: 200 }).map((depth) => nested(depth)),
)

function nested(depth: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

type Change = 'keep' | 'replace' | 'remove' | 'add' | 'rename'

/** The value as it is, half of the time; else with one place of it changed. */
export function perhapsSpoilt(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const changes = fc.oneof(
    { arbitrary: fc.constant<Change>('keep'), weight: 4 },
    { arbitrary: fc.constantFrom<Change>('replace', 'remove', 'add', 'rename'), weight: 5 },
  )
  return fc
    .tuple(values, changes, fc.nat(), fc.constantFrom(...NAMES), nastyValues)
    .map(([value, change, at, name, nasty]) => changed(value, { change, at, name, nasty }))
}

interface Spoiling {
  readonly change: Change
  /** Chooses the place, counted round the value's members. */
  readonly at: number
  readonly name: string
  readonly nasty: unknown
}

function changed(value: unknown, spoiling: Spoiling): unknown {
  const { change, at, name, nasty } = spoiling
  if (change === 'keep') return value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return nasty
  const entries = Object.entries(value)
  if (entries.length === 0) return own([[name, nasty]])
  const index = at % entries.length
  const [key, member] = entries[index] ?? ['a', null]
  const isDeep = typeof member === 'object' && member !== null && at % 3 === 0
  if (isDeep) {
    const inner = changed(member, { ...spoiling, at: Math.floor(at / 3) })
    return Object.fromEntries(entries.with(index, [key, inner]))
  }
  if (change === 'add') return own([...entries, [name, nasty]])
  if (change === 'remove') return own(entries.toSpliced(index, 1))
  return own(entries.with(index, change === 'rename' ? [name, member] : [key, nasty]))
}

/** With `__proto__` as a member like any other. */
function own(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries)
}

/** A body's bytes: the value's JSON mostly, else a text or bytes that are none. */
export function bodiesOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const texts = values.map((value) => JSON.stringify(value) ?? '')
  return fc.oneof(
    { arbitrary: texts.map((text) => Buffer.from(text)), weight: 20 },
    { arbitrary: fc.tuple(texts, fc.nat()).map(([text, at]) => cutAt(text, at)), weight: 1 },
    { arbitrary: fc.tuple(texts, fc.nat(), fc.nat(255)).map(byteAt), weight: 1 },
    { arbitrary: texts.map((text) => Buffer.from(twice(text))), weight: 1 },
    { arbitrary: fc.constantFrom(...TEXTS).map((text) => Buffer.from(text, 'latin1')), weight: 1 },
  )
}

const TEXTS = [
  '',
  ' ',
  'null',
  '1e999',
  '-0',
  '{"input":1e999,"service":"test.echo"}',
  '{"service":"test.echo","__proto__":{"input":1}}',
  '{"service":"test.echo","input":{"__proto__":1}}',
  '{"service":"\xff\xfe"}',
  '\xef\xbb\xbf{}',
  '["\\ud800"]',
  '['.repeat(5000),
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  `{"service":"test.echo","input":"${'x'.repeat(300 * 1024)}"}`,
]

function cutAt(text: string, at: number): Buffer {
  return Buffer.from(text.slice(0, text.length === 0 ? 0 : at % text.length))
}

function byteAt([text, at, byte]: [string, number, number]): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 0) bytes[at % bytes.length] = byte
  return bytes
}

/** Every member twice: which of them counts? */
function twice(text: string): string {
  if (!text.startsWith('{') || text === '{}') return text
  const members = text.slice(1, -1)
  return `{${members},${members}}`
}
