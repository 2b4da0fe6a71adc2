/**
 * The canonical form of RFC 8785: members sorted by UTF-16 code units, no spaces, numbers and strings
 * as JSON.stringify writes them (which is what the RFC prescribes). The published package for this is
 * CommonJS whose types describe an ES module; under NodeNext it cannot be imported with its types.
 *
 * @param value JSON, no deeper than bodies may be
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}
