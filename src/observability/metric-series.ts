/** One line of the exposition: labels, a value and, for a histogram's parts, the name with its suffix. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** One bound label set. Adding is plain arithmetic; text is made only when somebody collects. */
export interface Series {
  samples(name: string): readonly Sample[];
}

export class CounterSeries implements Series {
  readonly #labels: Readonly<Record<string, string>>;
  #value = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.#labels = labels;
  }

  /** A counter only grows: zero, negative numbers and NaN are ignored. */
  add(value: number): void {
    if (value > 0) this.#value += value;
  }

  samples(): readonly Sample[] {
    return [{ labels: this.#labels, value: this.#value }];
  }
}

export class GaugeSeries implements Series {
  readonly #labels: Readonly<Record<string, string>>;
  #value = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.#labels = labels;
  }

  set(value: number): void {
    this.#value = value;
  }

  samples(): readonly Sample[] {
    return [{ labels: this.#labels, value: this.#value }];
  }
}

/** prom-client's histogram cannot observe a value many times at once, which is how a batch is observed. */
export class HistogramSeries implements Series {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #bounds: Float64Array;
  /** Observations per bucket, not cumulative; the last is +Inf. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.#labels = labels;
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** NaN and counts below 1 are ignored. */
  observe(value: number, count: number): void {
    if (!(count > 0) || Number.isNaN(value)) return;
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket += 1;
    this.#counts[bucket]! += count;
    this.#sum += value * count;
  }

  samples(name: string): readonly Sample[] {
    const samples: Sample[] = [];
    let cumulative = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      cumulative += this.#counts[bucket]!;
      const bound = this.#bounds[bucket] ?? '+Inf';
      samples.push({ metricName: `${name}_bucket`, labels: { ...this.#labels, le: bound }, value: cumulative });
    }
    samples.push({ metricName: `${name}_sum`, labels: this.#labels, value: this.#sum });
    samples.push({ metricName: `${name}_count`, labels: this.#labels, value: cumulative });
    return samples;
  }
}
