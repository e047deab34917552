import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { FatalError } from '../core/errors.ts';
import type { Counter, Gauge, Histogram, Labels, Metrics } from '../core/metrics.ts';
import { METRIC_CATALOGUE, type MetricDefinition } from './metric-catalogue.ts';
import { CounterSeries, GaugeSeries, HistogramSeries, type Series } from './metric-series.ts';

/**
 * prom-client's sums of what it also tells by type. They are gauges, and `_total` is for counters: `promtool check metrics`
 * refuses the whole page because of them.
 */
const MISNAMED_GAUGES = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export interface PrometheusMetricsOptions {
  /** Names of the sources: their series with otherwise known labels exist, at 0, from the start. */
  readonly sources?: readonly string[];
  /** What `tailrace_build_info` says; absent without it. */
  readonly version?: string;
  /** Node's process metrics (memory, event loop, garbage collection). Default true. */
  readonly processMetrics?: boolean;
  readonly catalogue?: Readonly<Record<string, MetricDefinition>>;
}

/**
 * The metrics of one daemon in a registry of their own. Instruments come from the catalogue only; the same labels give
 * the same instrument, so a restarted source goes on counting where it was.
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #families = new Map<string, Family<Series>>();
  readonly #refreshers: (() => void)[] = [];

  constructor(options: PrometheusMetricsOptions = {}) {
    const catalogue: Readonly<Record<string, MetricDefinition>> = options.catalogue ?? METRIC_CATALOGUE;
    for (const [name, definition] of Object.entries(catalogue)) {
      const family = new Family(name, definition);
      this.#families.set(name, family);
      for (const labels of knownLabelSets(definition, options.sources ?? [])) family.bind(labels);
      // The registry uses nothing but `name` and `get()` of what it holds.
      this.#registry.registerMetric(family as unknown as Metric);
    }
    if (options.version !== undefined) this.gauge('tailrace_build_info').bind({ version: options.version }).set(1);
    if (options.processMetrics ?? true) {
      collectDefaultMetrics({ register: this.#registry });
      for (const name of MISNAMED_GAUGES) this.#registry.removeSingleMetric(name);
    }
  }

  /** @throws FatalError for a name that is not a counter of the catalogue; `bind` for labels that are not its labels. */
  counter(name: string): Counter {
    return this.#family(name, 'counter') as Family<CounterSeries>;
  }

  gauge(name: string): Gauge {
    return this.#family(name, 'gauge') as Family<GaugeSeries>;
  }

  histogram(name: string): Histogram {
    return this.#family(name, 'histogram') as Family<HistogramSeries>;
  }

  /** `refresh` runs before each collection, for gauges that change with time alone. It must not throw. */
  onCollect(refresh: () => void): void {
    this.#refreshers.push(refresh);
  }

  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    for (const refresh of this.#refreshers) refresh();
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #family(name: string, type: MetricDefinition['type']): Family<Series> {
    const family = this.#families.get(name);
    if (family === undefined) throw misuse(`Metric ${name} is not in the catalogue.`);
    if (family.type !== type) throw misuse(`Metric ${name} is a ${family.type}, not a ${type}.`);
    return family;
  }
}

/** A metric with all its label sets, in the shape that prom-client's registry collects. */
class Family<S extends Series> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricDefinition['type'];
  readonly #definition: MetricDefinition;
  readonly #series = new Map<string, Series>();

  constructor(name: string, definition: MetricDefinition) {
    this.name = name;
    this.help = definition.help;
    this.type = definition.type;
    this.#definition = definition;
  }

  bind(labels: Labels): S {
    const names = this.#definition.labels;
    const ordered: Record<string, string> = {};
    for (const name of names) {
      const value = labels[name];
      if (value === undefined) throw misuse(`Metric ${this.name} was bound without its label ${name}.`);
      ordered[name] = value;
    }
    const surplus = Object.keys(labels).find((label) => !names.includes(label));
    if (surplus !== undefined) throw misuse(`Metric ${this.name} has no label ${surplus}.`);
    const key = JSON.stringify(Object.values(ordered));
    let series = this.#series.get(key);
    if (series === undefined) {
      series = this.#create(ordered);
      this.#series.set(key, series);
    }
    return series as S;
  }

  get(): Promise<object> {
    const values = [...this.#series.values()].flatMap((series) => series.samples(this.name));
    return Promise.resolve({ name: this.name, help: this.help, type: this.type, values, aggregator: 'sum' });
  }

  #create(labels: Readonly<Record<string, string>>): Series {
    switch (this.type) {
      case 'counter':
        return new CounterSeries(labels);
      case 'gauge':
        return new GaugeSeries(labels);
      case 'histogram':
        return new HistogramSeries(labels, this.#definition.buckets ?? []);
    }
  }
}

/**
 * The label sets that can be foreseen: every combination of sources and closed label values. Gauges that nothing has set
 * yet would lie with a 0, so only those with closed values (one-hot states) are among them.
 */
function knownLabelSets(definition: MetricDefinition, sources: readonly string[]): readonly Labels[] {
  if (definition.type === 'gauge' && definition.values === undefined) return [];
  let sets: Labels[] = [{}];
  for (const label of definition.labels) {
    const values = label === 'source' ? sources : (definition.values?.[label] ?? []);
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value })));
  }
  return sets;
}

function misuse(message: string): FatalError {
  return new FatalError(message, { code: 'METRIC_MISUSE', remedy: 'This is a bug of tailrace: please report it.' });
}
