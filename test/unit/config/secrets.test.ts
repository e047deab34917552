import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { renderSettings } from '../../../src/config/render-settings.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { parseText } from './parse-text.ts';

/** Every place for a secret, and after `misplace` one where it does not belong. */
function document(secret: string, misplace: (configuration: Record<string, unknown>) => void = () => {}): string {
  const configuration = {
    kafka: { brokers: ['a:1'], sasl: { mechanism: 'plain', username: 'u', password: secret } },
    schema_registry: { url: 'http://a', auth: { username: 'u', password: secret } },
    sources: [
      {
        name: 'a',
        type: 'postgres',
        url: `postgres://u:${secret}@h/d`,
        columns: { hash: [{ match: 'x', salt: secret }] },
        snapshot: { mode: 'no_data' },
      },
      {
        debezium: {
          'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
          'topic.prefix': 'b',
          'database.hostname': 'h',
          'database.user': 'u',
          'database.dbname': 'd',
          'database.password': secret,
          [`column.mask.hash.v2.SHA-256.with.salt.${secret}`]: 'a.b.c',
          'snapshot.mode': 'no_data',
        },
      },
    ],
  };
  misplace(configuration);
  // JSON is YAML.
  return JSON.stringify(configuration);
}

const secrets = fc.stringMatching(/^[A-Z][a-z0-9]{11}$/);

// biome-ignore-start lint/suspicious/noExplicitAny: a configuration that may be wrong in any way.
/** Each puts the secret where it makes the configuration invalid. */
const MISPLACED: ((configuration: Record<string, any>, secret: string) => void)[] = [
  (c, s) => (c.kafka.compression = s),
  (c, s) => (c.kafka.brokers = [s]),
  (c, s) => (c.kafka.max_in_flight_bytes = s),
  (c, s) => (c.kafka.topics = [{ match: `(${s}` }]),
  (c, s) => (c.kafka.sasl.mechanism = s),
  (c, s) => (c.kafka.tls = { key_file: s }),
  (c, s) => (c.schema_registry.url = `http://u:${s}@h`),
  (c, s) => (c.schema_registry.tls = s),
  (c, s) => (c.checkpoint = { interval: s }),
  (c, s) => (c.http = s),
  (c, s) => (c.log = { level: s }),
  (c, s) => (c.delivery = s),
  (c, s) => (c.sources[0].url = `${s} is no URL`),
  (c, s) => (c.sources[0].url = `mysql://u:${s}@h/d`),
  (c, s) => (c.sources[0].url = `postgres://u:${s}@h/d?sslmode=${s}`),
  (c, s) => (c.sources[0].slot = { name: s, autocreate: s, failover: s }),
  (c, s) => (c.sources[0].types = { decimal: s, money_fraction_digits: s }),
  (c, s) => (c.sources[0].type = s),
  (c, s) => (c.sources[0].name = `${s} x`),
  (c, s) => (c.sources[0].password = s),
  (c, s) => (c.sources[0].tls = { mode: s }),
  (c, s) => (c.sources[0].debezium = s),
  (c, s) => (c.sources[1].debezium['slot.name'] = s),
  (c, s) => (c.sources[1].debezium['heartbeat.interval.ms'] = s),
  (c, s) => (c.sources[1].debezium['message.key.columns'] = s),
  (c, s) => (c.sources[1].debezium['connector.class'] = s),
  (c, s) => (c.sources[1].debezium['tasks.max'] = s),
  (c, s) => (c.sources[1].debezium[`column.mask.hash.MD5.with.salt.${s}`] = 'x'),
  (c, s) => (c.sources[1].password = s),
];
// biome-ignore-end lint/suspicious/noExplicitAny: see above.

function everyPrintOf(value: unknown): string {
  const error = value instanceof Error ? `${value.message}${value.stack}` : '';
  return [inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value), String(value), error].join('\n');
}

describe('secrets', () => {
  it('are nowhere in settings but where they are revealed', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        const settings: Settings = await parseText(document(secret));
        assert.ok(!everyPrintOf(settings).includes(secret));
        assert.ok(!JSON.stringify(renderSettings(settings)).includes(secret));
        assert.equal(settings.sources[1]!.columns.hash[0]!.salt.reveal(), secret);
        assert.equal((settings.sources[1]!.connector.password as { reveal(): string }).reveal(), secret);
      }),
      { numRuns: 30 },
    );
  });

  it('are not in the problems of a configuration, wherever they were put', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, fc.constantFrom(...MISPLACED), async (secret, misplace) => {
        const text = document(secret, (configuration) => misplace(configuration, secret));
        const error = await parseText(text).then(
          () => assert.fail('the configuration is valid'),
          (reason: unknown) => reason,
        );
        // A file that cannot be read is named only by its error code.
        assert.ok(!everyPrintOf(error).includes(secret), everyPrintOf(error));
      }),
      { numRuns: 120 },
    );
  });

  it('are not in the complaints of the YAML parser', async () => {
    for (const text of [
      'kafka: *SECRET',
      'kafka: !SECRET x',
      'a: "x" SECRET',
      'a: {SECRET',
      '[SECRET',
      '"\\SECRET"',
      '@SECRET',
      'a: b: SECRET',
    ]) {
      const error = await parseText(text).then(
        () => assert.fail('the configuration is valid'),
        (reason: unknown) => reason,
      );
      assert.ok(!everyPrintOf(error).includes('SECRET'), text);
    }
  });
});
