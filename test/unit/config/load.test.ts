import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadSettings } from '../../../src/config/load.ts';
import { InvalidConfiguration } from '../../../src/config/problem.ts';
import { capturesTable } from '../../../src/core/settings.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { CONNECTORS, parseText, VALID, withSource } from './parse-text.ts';

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how a configuration names a variable. */
describe('a configuration of the least settings', () => {
  it('has the defaults of the reference', async () => {
    const settings = await parseText(VALID);
    assert.deepEqual(settings, {
      kafka: {
        brokers: ['127.0.0.1:9092'],
        tls: null,
        sasl: null,
        compression: 'zstd',
        maxInFlightBytes: 33_554_432,
        deliveryTimeoutMs: 120_000,
        requestTimeoutMs: 30_000,
        topics: [{ match: /^(?:.*)$/u, partitions: 1, replicationFactor: -1, config: {} }],
      },
      schemaRegistry: {
        urls: ['http://127.0.0.1:8081'],
        auth: { kind: 'none' },
        tls: null,
        requestTimeoutMs: 10_000,
        onIncompatible: 'fail',
        subjectNaming: 'topic_name',
      },
      checkpoint: { store: 'kafka', topic: 'tailrace-checkpoints', intervalMs: 1000 },
      http: { host: '127.0.0.1', port: 8080, tls: null, tokens: [] },
      log: { level: 'info' },
      sources: [
        {
          name: 'shop',
          type: 'postgres',
          topicPrefix: 'shop',
          tables: { include: [], exclude: [] },
          columns: { exclude: [], mask: [], hash: [], truncate: [], propagateSourceType: [] },
          messageKeys: [],
          snapshot: {
            mode: 'no_data',
            blocking: false,
            deletePass: true,
            chunkRows: 50_000,
            parallelism: 2,
            where: [],
          },
          signals: { table: null, topic: null },
          notifications: { topic: null },
          heartbeatIntervalMs: 10_000,
          heartbeatTopic: false,
          extendedHeaders: false,
          tombstonesOnDelete: true,
          transactionMetadata: false,
          skippedOperations: new Set(['t']),
          onPoison: 'fail',
          schemaNameAdjustment: 'none',
          fieldNameAdjustment: 'none',
          unavailablePlaceholder: '__debezium_unavailable_value',
          connector: { url: settings.sources[0]!.connector.url },
        },
      ],
    });
    assert.equal(String(settings.sources[0]!.connector.url), '[secret]');
  });
});

describe('a configuration of many settings', () => {
  const TEXT = `kafka:
  brokers: "a:1, \${BROKER}"
  tls: { enabled: false }
  sasl: { mechanism: scram-sha-512, username: u, password: "\${PASSWORD}" }
  compression: lz4
  max_in_flight_bytes: \${BUDGET}
  topics:
    - { match: "shop\\\\..*", partitions: 3, replication_factor: 2, config: { cleanup.policy: compact, retention.ms: 5, a: true } }
schema_registry:
  url: [http://a/x/, https://b]
  auth: { bearer: \${PASSWORD} }
  on_incompatible: dead_letter
  subject_naming: record_name
checkpoint: { store: file, path: state, interval: 250ms }
http: { host: "::1", port: "\${PORT}", tokens: { name: ops, role: operate, token_sha256: "\${HASH}" } }
log: { level: debug }
sources:
  - name: shop
    type: postgres
    host: db
    port: \${PORT}
    user: cdc
    password: \${PASSWORD}
    database: d
    topic_prefix: shop.eu
    tables: { include: ["public\\\\..*"], exclude: public\\.tmp }
    columns:
      hash: [{ match: ".*\\\\.email", salt: "\${PASSWORD}" }]
      truncate: { match: x, length: 3 }
    message_key: { table: "public\\\\.t", columns: [b, a] }
    snapshot: { mode: no_data }
    heartbeat: { interval: 1s, topic: true }
    skipped_operations: []
    slot: { failover: "\${FAILOVER}" }
    connect_timeout: 2s
`;
  const env = {
    BROKER: 'b:2',
    PASSWORD: '0123',
    BUDGET: '2MiB',
    PORT: '5433',
    FAILOVER: 'true',
    HASH: 'aB'.repeat(32),
  };

  it('is read as it says', async () => {
    const { kafka, schemaRegistry, checkpoint, http, sources } = await parseText(TEXT, env, '/etc/tailrace');
    assert.deepEqual(kafka.brokers, ['a:1', 'b:2']);
    assert.equal(kafka.tls, null);
    assert.ok(kafka.sasl?.mechanism === 'scram-sha-512' && kafka.sasl.password.reveal() === '0123');
    assert.equal(kafka.maxInFlightBytes, 2_097_152);
    assert.deepEqual(
      kafka.topics.map((rule) => [rule.match.test('shop.eu'), rule.partitions, rule.config]),
      [
        [true, 3, { 'cleanup.policy': 'compact', 'retention.ms': '5', a: 'true' }],
        [true, 1, {}],
      ],
    );
    assert.deepEqual(schemaRegistry.urls, ['http://a/x', 'https://b']);
    assert.ok(schemaRegistry.auth.kind === 'bearer' && schemaRegistry.auth.token.reveal() === '0123');
    assert.deepEqual(checkpoint, { store: 'file', path: '/etc/tailrace/state', intervalMs: 250 });
    assert.deepEqual(http, { host: '::1', port: 5433, tls: null, tokens: http.tokens });
    assert.deepEqual(
      http.tokens.map(({ name, role, sha256 }) => [name, role, sha256.reveal()]),
      [['ops', 'operate', 'aB'.repeat(32)]],
    );
    const source = sources[0]!;
    assert.equal(source.topicPrefix, 'shop.eu');
    assert.ok(
      capturesTable(source, 'public.a') && !capturesTable(source, 'public.tmp') && !capturesTable(source, 'b.c'),
    );
    assert.equal(source.columns.hash[0]!.salt.reveal(), '0123');
    assert.deepEqual(source.messageKeys[0]!.columns, ['b', 'a']);
    assert.deepEqual([source.heartbeatIntervalMs, source.heartbeatTopic], [1000, true]);
    assert.equal(source.skippedOperations.size, 0);
    const { password, ...connector } = source.connector;
    assert.equal((password as { reveal(): string }).reveal(), '0123');
    assert.deepEqual(connector, {
      host: 'db',
      port: 5433,
      user: 'cdc',
      database: 'd',
      slot: { failover: true },
      connect_timeout_ms: 2000,
    });
  });

  it('shares sections by anchors', async () => {
    const { sources } = await parseText(`${withSource('tables: &t { include: [a] }')}  - <<: { tables: *t }
    name: b
    type: postgres
    host: h
    user: u
    database: d
    snapshot: { mode: no_data }
`);
    assert.deepEqual(sources[1]!.tables, sources[0]!.tables);
  });
});
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above. */

describe('a configuration file', () => {
  const [authority, own] = [selfSignedCertificate('authority'), selfSignedCertificate('own')];
  const tls = (key: string) =>
    `tls: { ca_file: certs/ca.pem, cert_file: certs/c.pem, key_file: certs/${key}, verify_hostname: false }`;
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tailrace-load-'));
    mkdirSync(join(directory, 'certs'));
    writeFileSync(join(directory, 'certs', 'ca.pem'), authority.cert);
    writeFileSync(join(directory, 'certs', 'c.pem'), own.cert);
    writeFileSync(join(directory, 'certs', 'k.pem'), own.key);
    writeFileSync(join(directory, 'certs', 'other.pem'), authority.key);
    writeFileSync(join(directory, 'unfit.yaml'), VALID.replace('9092 }', `9092, ${tls('other.pem')} }`));
    writeFileSync(join(directory, 'good.yaml'), VALID.replace('9092 }', `9092, ${tls('k.pem')} }`));
    writeFileSync(join(directory, 'bad.yaml'), 'kafka: {}\n');
  });
  after(() => rmSync(directory, { recursive: true }));

  it('names files from its own folder', async () => {
    const { kafka } = await loadSettings(join(directory, 'good.yaml'), {}, CONNECTORS);
    assert.equal(kafka.tls?.ca, authority.cert);
    assert.equal(kafka.tls?.cert, own.cert);
    assert.equal(kafka.tls?.key?.reveal(), own.key);
    assert.equal(kafka.tls?.verifyHostname, false);
  });
  it('names a key that fits its certificate', async () => {
    await assert.rejects(
      loadSettings(join(directory, 'unfit.yaml'), {}, CONNECTORS),
      /kafka\.tls\.key_file: names the key of another certificate/,
    );
  });
  it('that is wrong says so by name and line', async () => {
    await assert.rejects(loadSettings(join(directory, 'bad.yaml'), {}, CONNECTORS), (error) => {
      assert.ok(error instanceof InvalidConfiguration && error.errorClass === 'configuration');
      assert.match(error.message, /^bad\.yaml has 3 problems:\n {2}bad\.yaml:1: kafka\.brokers: is required\./);
      return true;
    });
  });
  it('that is missing says so', async () => {
    const path = join(directory, 'absent.yaml');
    await assert.rejects(loadSettings(path, {}, CONNECTORS), /absent\.yaml: cannot be read \(ENOENT\)\. .*-c/);
  });
});
