import type { KafkaSettings } from '../../src/core/settings.ts';
import { kafkaBrokers } from './services.ts';

/** Settings for the test cluster as the configuration would give them, without TLS, SASL and topic rules. */
export function kafkaSettings(overrides: Partial<KafkaSettings> = {}): KafkaSettings {
  return {
    brokers: kafkaBrokers(),
    tls: null,
    sasl: null,
    compression: 'none',
    maxInFlightBytes: 32 * 1024 * 1024,
    deliveryTimeoutMs: 60_000,
    requestTimeoutMs: 10_000,
    topics: [],
    ...overrides,
  };
}
