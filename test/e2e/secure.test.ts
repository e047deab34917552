import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { startPostgres } from '../../deploy/local/postgres.ts';
import { AvroDecoder } from '../support/avro-decoder.ts';
import { awaitUntil } from '../support/await-until.ts';
import { CertificateAuthority } from '../support/certificate.ts';
import { Daemon } from '../support/daemon-process.ts';
import { startOwnService } from '../support/own-service.ts';
import { openRegistryGate } from '../support/registry-gate.ts';
import { KAFKA_USER, type KafkaGrant, SESSION_MS, startSecureKafka } from '../support/secure-kafka.ts';
import { postgresVersion, registryUrl } from '../support/services.ts';
import { type Decoded, decodeAll } from '../support/tailed-database.ts';
import { readTopics } from '../support/topic-reader.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'security.md'), 'utf8');
const PASSWORDS = ['first päss word', 'second päss word'] as const;

/** The lines of the page that begin with `kafka-acls`. */
function documentedGrants(): KafkaGrant[] {
  return [...PAGE.matchAll(/^kafka-acls .*$/gm)].map(([line]) => {
    const values = (option: string) =>
      [...line.matchAll(new RegExp(`--${option} (\\S+)`, 'g'))].map(([, value]) => value!);
    const topic = values('topic')[0];
    return {
      resource: topic === undefined ? 'transactional-id' : 'topic',
      name: topic ?? values('transactional-id')[0]!,
      isPrefix: values('resource-pattern-type')[0] === 'prefixed',
      operations: values('operation'),
    };
  });
}

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how a configuration names a secret. */
test('verified TLS and passwords on every connection, with the least rights, over many sessions and a new password', async () => {
  const authority = new CertificateAuthority('authority');
  const server = authority.server('127.0.0.1');
  await using kafka = await startSecureKafka(authority, documentedGrants());
  await using gate = await openRegistryGate(
    registryUrl(),
    server,
    `Basic ${Buffer.from('registrar:registry password').toString('base64')}`,
  );
  await using postgres = await startOwnService((context) =>
    startPostgres(postgresVersion() ?? 17, context, {
      settings: ['ssl = on', "ssl_cert_file = 's.crt'", "ssl_key_file = 's.key'"],
      files: { 's.crt': server.cert, 's.key': server.key },
      access: ['host all postgres all trust', 'hostssl all cdc all scram-sha-256'],
    }),
  );
  const admin = new pg.Client({ connectionString: postgres.service.url });
  await admin.connect();
  await admin.query(`CREATE USER cdc REPLICATION PASSWORD '${PASSWORDS[0]}'; GRANT CREATE ON DATABASE postgres TO cdc`);
  await admin.query('CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO cdc; INSERT INTO t VALUES (0)');

  await using daemon = await Daemon.create({
    config: {
      kafka: {
        brokers: kafka.at('SASL_TLS'),
        tls: { ca_file: 'ca.pem' },
        sasl: { mechanism: 'scram-sha-512', username: KAFKA_USER.username, password: '${KAFKA_PASSWORD}' },
      },
      schema_registry: {
        url: gate.url,
        tls: { ca_file: 'ca.pem' },
        auth: { username: 'registrar', password: 'registry password' },
      },
      checkpoint: { store: 'kafka', interval: '100ms' },
    },
    sources: [
      {
        name: 'shop',
        type: 'postgres',
        host: '127.0.0.1',
        port: Number(new URL(postgres.service.url).port),
        user: 'cdc',
        password: '${file:password}',
        database: 'postgres',
        tls: { mode: 'verify-full', ca_file: 'ca.pem' },
        heartbeat: { interval: '500ms', topic: true },
        transaction_metadata: true,
      },
    ],
    environment: { KAFKA_PASSWORD: KAFKA_USER.password },
  });
  await writeFile(join(daemon.directory, 'ca.pem'), authority.cert);
  await writeFile(join(daemon.directory, 'password'), PASSWORDS[0]);
  try {
    await daemon.start().streaming(60_000);
    const { rows } = await admin.query<{ ssl: boolean }>(
      "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'cdc'",
    );
    assert.deepEqual(rows, [{ ssl: true }]);

    const before = await daemon.until('its snapshot is over', async () => {
      const status = await daemon.status('shop');
      return status.state === 'streaming' && status.snapshot?.state === 'completed' ? status : null;
    });
    // Each insert has come through before the next: no session that ends is met by silence.
    let last = 0;
    const insert = async () => {
      last += 1;
      await admin.query('INSERT INTO t VALUES ($1)', [last]);
      await daemon.until(`row ${last} is published`, async () => {
        const { position, changes_total: changes } = await daemon.status('shop');
        return position !== null && changes >= last;
      });
    };
    const endAt = performance.now() + 3 * SESSION_MS;
    while (performance.now() < endAt) await insert();
    const { last_error: lastError, since } = await daemon.status('shop');
    assert.deepEqual([lastError, since], [null, before.since], 'it streams as it did at first');

    await admin.query(`ALTER USER cdc PASSWORD '${PASSWORDS[1]}'`);
    await insert();
    await writeFile(join(daemon.directory, 'password'), PASSWORDS[1]);
    assert.equal(await daemon.stop(), 0);
    await admin.query('INSERT INTO t VALUES ($1)', [last + 1]);
    await daemon.start().streaming(60_000);
    await daemon.until(
      'the row of meanwhile is published',
      async () => (await daemon.status('shop')).changes_total >= 1,
    );

    // The first group of a new broker is refused until the broker has made the topic of groups.
    const read = await awaitUntil(
      'the broker serves groups',
      () => readTopics(['shop.public.t'], [kafka.service.url]),
      { timeoutMs: 120_000 },
    );
    const records = await decodeAll(read, new AvroDecoder());
    const ids = records.map(({ decodedValue }) => (decodedValue as Decoded).after.id);
    assert.deepEqual(
      ids,
      Array.from({ length: last + 2 }, (_, id) => id),
    );
    assert.ok(gate.passed > 0);
    for (const secret of [...PASSWORDS, KAFKA_USER.password, 'registry password', 'PRIVATE KEY']) {
      assert.ok(!daemon.output.includes(secret), 'a secret is in the log');
    }
  } finally {
    await admin.end();
  }
});
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above. */
