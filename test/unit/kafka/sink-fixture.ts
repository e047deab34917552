import type { Clock } from '../../../src/core/clock.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Metrics } from '../../../src/core/metrics.ts';
import type { KafkaSettings } from '../../../src/core/settings.ts';
import type { OutgoingRecord, SinkTopic } from '../../../src/core/sink.ts';
import { Ticket } from '../../../src/core/ticket.ts';

/** Real time: what is tested here waits for sockets. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  nowUs: () => Date.now() * 1000,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          reject(signal.reason);
        },
        { once: true },
      );
    }),
};

/** Collects what would be logged as a warning. */
export function recordingLogger(warnings: string[]): Logger {
  const logger: Logger = {
    child: () => logger,
    debug: () => {},
    info: () => {},
    warn: (_fields, message) => warnings.push(message),
    error: () => {},
  };
  return logger;
}

/** Sums what is added, by metric name. */
export function recordingMetrics(sums: Map<string, number>): Metrics {
  const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  return {
    counter: (name) => ({ bind: () => ({ add: (value) => add(name, value) }) }),
    gauge: (name) => ({ bind: () => ({ set: (value) => sums.set(name, value) }) }),
    histogram: (name) => ({ bind: () => ({ observe: (_value, count) => add(name, count) }) }),
  };
}

export function kafkaSettings(overrides: Partial<KafkaSettings>): KafkaSettings {
  return {
    brokers: [],
    tls: null,
    sasl: null,
    compression: 'none',
    maxInFlightBytes: 32 * 1024 * 1024,
    deliveryTimeoutMs: 10_000,
    requestTimeoutMs: 5_000,
    topics: [{ match: /^.*$/, partitions: 1, replicationFactor: -1, config: {} }],
    ...overrides,
  };
}

export interface PlainRecord {
  readonly key: string | null;
  readonly value: string | Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timestampMs?: number;
  readonly partition?: number;
}

/** Appends one record from a buffer that is overwritten at once, as the encoder's is. */
export function appendRecord(topic: SinkTopic, record: PlainRecord, ticket = new Ticket(() => {})): boolean {
  const key = record.key === null ? null : Buffer.from(record.key);
  const value = record.value === null ? null : Buffer.from(record.value);
  const bytes = Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
  const keyBytes = key?.length ?? 0;
  const outgoing: OutgoingRecord = {
    bytes,
    keyStart: key === null ? -1 : 0,
    keyEnd: key === null ? -1 : keyBytes,
    valueStart: value === null ? -1 : keyBytes,
    valueEnd: value === null ? -1 : bytes.length,
    headers: Object.entries(record.headers ?? {}).map(([name, text]) => ({ name, value: Buffer.from(text) })),
    timestampMs: record.timestampMs ?? 1_767_312_000_000,
    partition: record.partition ?? -1,
  };
  const appended = topic.append(outgoing, ticket);
  bytes.fill(0xee);
  return appended;
}
