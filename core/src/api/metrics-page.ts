import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { HistogramFigures } from '../base/histogram.js'
import { METRIC_FAMILIES, type MetricFamily, type MetricName } from './metric-families.js'

type Labels = Readonly<Record<string, string | number>>

/**
 * One answer to a scrape, and the only file that knows Prometheus' client library. All figures are
 * counted elsewhere as plain numbers; here they are written down once, so a page is made for each
 * scrape and thrown away.
 */
export class MetricsPage {
  readonly #registry = new Registry()
  readonly #metrics = new Map<MetricName, Counter | Gauge | GivenHistogram>()

  constructor() {
    for (const [name, family] of Object.entries(METRIC_FAMILIES)) {
      this.#metrics.set(name as MetricName, makeMetric(name, family, this.#registry))
    }
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** States a gauge, or the total of a counter; what is told twice under the same labels is added. */
  put(name: MetricName, value: number, labels: Labels = {}): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof Gauge || metric instanceof Counter) metric.inc({ ...labels }, value)
  }

  putHistogram(name: MetricName, figures: HistogramFigures, labels: Labels = {}): void {
    const metric = this.#metrics.get(name)
    if (metric instanceof GivenHistogram) metric.give(figures, labels)
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

function makeMetric(name: string, { type, labels, help }: MetricFamily, registry: Registry) {
  const options = { name, help, labelNames: [...labels], registers: [registry] }
  switch (type) {
    case 'counter':
      return new Counter(options)
    case 'gauge':
      return new Gauge(options)
    case 'histogram':
      return new GivenHistogram(options)
  }
}

interface Sample {
  readonly metricName: string
  readonly labels: Labels
  readonly value: number
}

/** The library's histogram counts by itself only; this one is given what was counted. */
class GivenHistogram extends Histogram {
  readonly #options: { readonly name: string; readonly help: string }
  readonly #samples: Sample[] = []

  constructor(options: {
    name: string
    help: string
    labelNames: string[]
    registers: Registry[]
  }) {
    super(options)
    this.#options = options
  }

  give({ bounds, counts, sum }: HistogramFigures, labels: Labels): void {
    const { name } = this.#options
    let upTo = 0
    for (const [place, count] of counts.entries()) {
      upTo += count
      const le = bounds[place] ?? '+Inf'
      this.#samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo })
    }
    this.#samples.push({ metricName: `${name}_sum`, labels, value: sum })
    this.#samples.push({ metricName: `${name}_count`, labels, value: upTo })
  }

  /** What the registry asks a histogram for (prom-client 15, `Registry.getMetricsAsString`). */
  async getForPromString() {
    return { ...this.#options, type: 'histogram', values: this.#samples }
  }
}
