/** Metric instruments by catalogue name; `src/observability` holds the catalogue and the Prometheus adapter. */
export interface Metrics {
  counter(name: string): Counter;
  gauge(name: string): Gauge;
  histogram(name: string): Histogram;
}

export type Labels = Readonly<Record<string, string>>;

/** `bind` once outside a loop: a bound instrument adds two numbers and allocates nothing. */
export interface Counter {
  bind(labels: Labels): { add(value: number): void };
}

export interface Gauge {
  bind(labels: Labels): { set(value: number): void };
}

export interface Histogram {
  /** `count` observations of the same value at once. */
  bind(labels: Labels): { observe(value: number, count: number): void };
}
