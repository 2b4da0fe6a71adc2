/** Reads the Prometheus text format, as far as a node writes it: by its own rules, not by our code. */
export interface Family {
  readonly type: string
  readonly help: string
  /** Names of labels that its samples have, `le` left out, in their order. */
  readonly labels: readonly string[]
  readonly samples: readonly Sample[]
}

interface Sample {
  /** With `_bucket`, `_sum` or `_count` for histograms. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function familiesOf(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  for (const part of text.split(/^(?=# HELP )/m)) {
    const [, name = '', help = ''] = /^# HELP (\S+) (.*)$/m.exec(part) ?? []
    const [, type = ''] = /^# TYPE \S+ (\w+)$/m.exec(part) ?? []
    const samples = part
      .split('\n')
      .filter((line) => /^\w/.test(line))
      .map(sampleOf)
    const labels = Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== 'le')
    families.set(name, { type, help, labels, samples })
  }
  return families
}

function sampleOf(line: string): Sample {
  const [, name = '', inner = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
  return {
    name,
    labels: Object.fromEntries(labels.map(([, label = '', text = '']) => [label, text])),
    value: Number(value),
  }
}

/** @returns NaN where there is no such sample */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels)
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
  const found = family?.samples.find(
    (sample) =>
      sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
  )
  return found?.value ?? Number.NaN
}
