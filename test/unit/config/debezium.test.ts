import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { capturesTable } from '../../../src/core/settings.ts';
import { KAFKA, parseText, problemsOf, REGISTRY } from './parse-text.ts';

type Properties = Record<string, string | number | boolean>;

/** Connectors that ran against a real Debezium. */
const CONNECTORS: Record<string, Properties> = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'debezium', 'postgres-connectors.json'), 'utf8'),
);

const LEAST: Properties = {
  'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
  'topic.prefix': 'shop',
  'database.hostname': 'h',
  'database.user': 'u',
  'database.dbname': 'd',
  'snapshot.mode': 'no_data',
};

function configuration(properties: Properties, own: object = {}): string {
  return `${KAFKA}${REGISTRY}sources: [${JSON.stringify({ ...own, debezium: properties })}]`;
}

async function sourceOf(properties: Properties, own: object = {}) {
  return (await parseText(configuration(properties, own))).sources[0]!;
}

describe("Debezium's connectors", () => {
  /** What they ask for that has no counterpart here. Each has to be named, and nothing else. */
  const REFUSED: Record<string, string[]> = {
    pg_json: ['key.converter', 'key.converter.schemas.enable', 'value.converter', 'value.converter.schemas.enable'],
    pg_namesnone: [
      'key.converter',
      'key.converter.schemas.enable',
      'value.converter',
      'value.converter.schemas.enable',
    ],
    pg_incr: ['incremental.snapshot.chunk.size'],
  };
  for (const [name, properties] of Object.entries(CONNECTORS)) {
    it(`${name} is read but for ${REFUSED[name]?.length ?? 0} properties`, async () => {
      const problems = await problemsOf(configuration({ ...properties, 'snapshot.mode': 'no_data' }));
      const refused = (REFUSED[name] ?? []).map((property) => `sources[0].debezium.${JSON.stringify(property)}`);
      assert.deepEqual(problems.map((problem) => problem.path).sort(), refused.sort());

      const accepted = Object.entries(properties).filter(([property]) => !REFUSED[name]?.includes(property));
      const source = await sourceOf({ ...Object.fromEntries(accepted), 'snapshot.mode': 'no_data' });
      assert.equal(source.name, name);
      assert.equal(source.topicPrefix, name);
      const slot = name.replace('pg_', 'g_');
      assert.deepEqual(source.connector.slot, { name: slot, publication: slot, autocreate: 'filtered' });
      assert.equal(source.connector.host, '127.0.0.1');
      assert.equal(source.connector.port, 29432);
      assert.equal(source.connector.database, 'golden');
      assert.equal((source.connector.password as { reveal(): string }).reveal(), 'x');
    });
  }

  it('pg_incr is signalled by its table and notifies a topic', async () => {
    const { 'incremental.snapshot.chunk.size': _, ...properties } = CONNECTORS.pg_incr!;
    const source = await sourceOf({ ...properties, 'snapshot.mode': 'no_data' });
    assert.deepEqual(source.signals, { table: 'inv.dbz_signal', topic: null });
    assert.deepEqual(source.notifications, { topic: 'pg_incr.notifications' });
  });

  it('pg_default captures by schema, but for two tables', async () => {
    const source = await sourceOf({ ...CONNECTORS.pg_default!, 'snapshot.mode': 'no_data' });
    assert.ok(capturesTable(source, 'inv.orders'));
    assert.ok(!capturesTable(source, 'inv.MixedCase'));
    assert.ok(!capturesTable(source, 'inv.mixedcase'), 'case is not regarded');
    assert.ok(!capturesTable(source, 'invoices.orders'));
  });

  it('pg_string, pg_double and pg_micro choose types and behaviour', async () => {
    const text = await sourceOf({ ...CONNECTORS.pg_string!, 'snapshot.mode': 'no_data' });
    assert.deepEqual(text.connector.types, {
      decimal: 'string',
      time: 'connect',
      binary: 'base64',
      interval: 'string',
      hstore: 'map',
      unknown: 'include',
    });
    assert.equal(text.tombstonesOnDelete, false);
    const double = await sourceOf({ ...CONNECTORS.pg_double!, 'snapshot.mode': 'no_data' });
    assert.equal(double.unavailablePlaceholder, 'TOASTED');
    const micro = await sourceOf({ ...CONNECTORS.pg_micro!, 'snapshot.mode': 'no_data' });
    assert.deepEqual([micro.heartbeatIntervalMs, micro.heartbeatTopic], [2000, true]);
    assert.equal(micro.transactionMetadata, true);
    assert.equal(micro.skippedOperations.size, 0);
  });

  it('pg_names and pg_namesuni adjust names', async () => {
    const names = await sourceOf({ ...CONNECTORS.pg_names!, 'snapshot.mode': 'no_data' });
    assert.deepEqual([names.schemaNameAdjustment, names.fieldNameAdjustment], ['avro', 'avro']);
    assert.ok(capturesTable(names, 'Odd-Schema.My Table'));
    assert.ok(names.columns.exclude.some((pattern) => pattern.test('Odd-Schema.My Table.a$b')));
    const unicode = await sourceOf({ ...CONNECTORS.pg_namesuni!, 'snapshot.mode': 'no_data' });
    assert.equal(unicode.schemaNameAdjustment, 'avro_unicode');
  });

  it('pg_props treats columns', async () => {
    const { columns, messageKeys, extendedHeaders } = await sourceOf({
      ...CONNECTORS.pg_props!,
      'snapshot.mode': 'no_data',
    });
    assert.equal(columns.mask[0]!.with, '*****');
    assert.ok(columns.mask[0]!.match.test('inv.ri_default.t'));
    assert.equal(columns.truncate[0]!.length, 3);
    assert.equal(columns.hash[0]!.algorithm, 'sha256');
    assert.equal(columns.hash[0]!.salt.reveal(), 'SALT');
    assert.ok(columns.hash[0]!.match.test('inv.t_text.vcn'));
    assert.equal(columns.exclude.length, 2);
    assert.ok(columns.propagateSourceType[0]!.test('any.thing.at_all'));
    assert.deepEqual(
      messageKeys.map((rule) => [rule.table.test('inv.nopk'), rule.columns]),
      [
        [true, ['a']],
        [false, ['b']],
      ],
    );
    assert.equal(extendedHeaders, true);
  });
});

describe("Debezium's lists", () => {
  const CAPTURED: [what: string, properties: Properties, captured: string[], left: string[]][] = [
    ['schemas', { 'schema.include.list': 'a, B' }, ['a.t', 'b.t'], ['c.t', 'ab.t']],
    ['all but schemas', { 'schema.exclude.list': 'a' }, ['b.t'], ['a.t', 'A.t']],
    ['tables', { 'table.include.list': 'a\\.t,b.u.*' }, ['a.t', 'b.us'], ['a.u', 'xa.t']],
    ['both', { 'schema.include.list': 'a', 'table.include.list': '.*\\.t' }, ['a.t'], ['b.t', 'a.u']],
    ['schemas but tables', { 'schema.include.list': 'a', 'table.exclude.list': 'a.t' }, ['a.u'], ['a.t', 'b.u']],
    ['neither', { 'schema.exclude.list': 'a', 'table.exclude.list': 'b.t' }, ['b.u'], ['a.t', 'b.t']],
  ];
  for (const [what, properties, captured, left] of CAPTURED) {
    it(`capture ${what}`, async () => {
      const source = await sourceOf({ ...LEAST, ...properties });
      for (const table of captured) assert.ok(capturesTable(source, table), table);
      for (const table of left) assert.ok(!capturesTable(source, table), table);
    });
  }

  it('leave out the columns that an include list does not name', async () => {
    const { columns } = await sourceOf({ ...LEAST, 'column.include.list': 'a.t.id,a.t.name' });
    const excluded = (column: string) => columns.exclude.some((pattern) => pattern.test(column));
    assert.ok(excluded('a.t.other') && excluded('a.t.id2') && excluded('b.t.id'));
    assert.ok(!excluded('a.t.id') && !excluded('A.t.Name'));
  });
});

describe("Debezium's properties that cannot be", () => {
  const CASES: [property: string, value: string | number, message: RegExp, remedy: RegExp][] = [
    ['table.includ.list', 'a', /no.* counterpart/, /table\.include\.list\?/],
    ['no.such.thing', 'a', /counterpart/, /Remove/],
    ['connector.class', 'x', /not a connector/, /PostgresConnector/],
    ['tasks.max', 2, /can only be 1/, /Remove/],
    ['plugin.name', 'wal2json', /pgoutput/, /pgoutput/],
    ['snapshot.mode', 'recovery', /not known/, /initial/],
    ['snapshot.max.threads', 0, /does not fit/, /1/],
    ['heartbeat.action.query', 'select 1', /built yet/, /Remove/],
    ['heartbeat.interval.ms', '10s', /milliseconds/, /whole number/],
    ['max.queue.size', 1, /not a setting of a source/, /max_in_flight_bytes/],
    ['topic.creation.default.partitions', 1, /not a setting of a source/, /kafka\.topics/],
    ['transforms', 'unwrap', /not a setting of a source/, /no transformations/],
    ['event.processing.failure.handling.mode', 'skip', /silently/, /dead_letter/],
    ['column.mask.hash.SHA-256.with.salt.s', 'x', /Java/, /v2/],
    ['column.mask.hash.v2.ROT13.with.salt.s', 'x', /hash function/, /sha256/],
    ['message.key.columns', 'inv.t', /table:column/, /Write/],
    ['database.sslmode', 'allow', /mode/, /verify-full/],
    ['time.precision.mode', 'none', /./, /./],
    ['database.port', 'abc', /./, /./],
    ['table.include.list', 'a(', /regular expression/, /Correct/],
    ['publish.via.partition.root', 'maybe', /./, /./],
    ['database.server.id', 5, /not a setting/, /./],
  ];
  for (const [property, value, message, remedy] of CASES) {
    it(`${property}: ${value}`, async () => {
      const problems = await problemsOf(configuration({ ...LEAST, [property]: value }));
      assert.equal(problems.length, 1, JSON.stringify(problems));
      const name = property.replace(/(salt\.).*/, '$1[secret]');
      assert.equal(problems[0]!.path, `sources[0].debezium.${name === 'transforms' ? name : JSON.stringify(name)}`);
      assert.match(problems[0]!.message, message);
      assert.match(problems[0]!.remedy, remedy);
    });
  }

  it('contradict each other', async () => {
    const problems = await problemsOf(
      configuration({ ...LEAST, 'table.include.list': 'a', 'table.exclude.list': 'b' }),
    );
    assert.deepEqual(
      problems.map((problem) => problem.path),
      ['sources[0].debezium."table.exclude.list"'],
    );
  });
  it('contradict a setting beside them', async () => {
    const problems = await problemsOf(configuration({ ...LEAST, 'slot.name': 'a' }, { slot: { name: 'b' } }));
    assert.deepEqual(
      problems.map((problem) => problem.path),
      ['sources[0].debezium."slot.name"'],
    );
    assert.match(problems[0]!.message, /set by slot\.name too/);
  });
  it('stand beside settings of our own', async () => {
    const source = await sourceOf(LEAST, { name: 'mine', on_poison: 'dead_letter', slot: { failover: true } });
    assert.deepEqual([source.name, source.topicPrefix, source.onPoison], ['mine', 'shop', 'dead_letter']);
    assert.deepEqual(source.connector.slot, { failover: true });
  });
});

describe("Debezium's channels", () => {
  it('brings the signal table whatever the table lists say', async () => {
    const source = await sourceOf({
      ...LEAST,
      'table.include.list': 'public.orders',
      'table.exclude.list': '',
      'signal.data.collection': 'ops.signals',
    });
    assert.ok(capturesTable(source, 'ops.signals'));
    assert.ok(!capturesTable(source, 'ops.signals2'));
  });

  it('reads a topic only where the channel is on, whose name has a default', async () => {
    const kafka = await sourceOf({ ...LEAST, 'signal.enabled.channels': 'source,Kafka', 'signal.kafka.topic': 'ops' });
    assert.deepEqual(kafka.signals, { table: null, topic: 'ops' });
    const byDefault = await sourceOf({
      ...LEAST,
      'signal.enabled.channels': 'kafka',
      'signal.data.collection': 'ops.signals',
    });
    assert.deepEqual(byDefault.signals, { table: null, topic: 'shop-signal' });
    const problems = await problemsOf(configuration({ ...LEAST, 'signal.kafka.topic': 'ops' }));
    assert.deepEqual(
      problems.map(({ path, message }) => [path, message]),
      [['sources[0].debezium."signal.kafka.topic"', 'has no effect']],
    );
  });

  it('refuses channels that have no counterpart, and a sink without topic', async () => {
    const problems = await problemsOf(
      configuration({
        ...LEAST,
        'signal.enabled.channels': 'source,file,jmx',
        'signal.kafka.bootstrap.servers': 'a:1',
        'notification.enabled.channels': 'sink,log',
      }),
    );
    assert.deepEqual(
      problems.map(({ path, message }) => `${path} ${message}`).sort(),
      [
        'sources[0].debezium."notification.enabled.channels" names log, a channel without counterpart',
        'sources[0].debezium."notification.enabled.channels" names sink, which has no topic',
        'sources[0].debezium."signal.enabled.channels" names file, a channel without counterpart',
        'sources[0].debezium."signal.enabled.channels" names jmx, a channel without counterpart',
        'sources[0].debezium."signal.kafka.bootstrap.servers" is not a setting of a source here',
      ].sort(),
    );
  });
});
