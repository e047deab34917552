import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connector } from '../../../connectors/postgres/index.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { insertedValues, lastPosition, SourceUnderTest } from './source-under-test.ts';

test('UPDATE and DELETE of a table without identity go on working; its inserts and truncates are captured', async () => {
  await using database = await createPostgresDatabase({
    sql: 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE keyless (v text)',
  });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO keyless VALUES ('a')`);
  await database.query(`UPDATE keyless SET v = 'b'`);
  await database.query('DELETE FROM keyless');
  await database.query('TRUNCATE keyless');
  await database.query(`INSERT INTO t VALUES (1, 'end')`);
  const changes = await source.readUntilValue('end');
  assert.deepEqual(
    changes.map(({ kind }) => kind).filter((kind) => !['begin', 'commit', 'heartbeat'].includes(kind)),
    ['insert', 'truncate', 'insert'],
  );
  assert.ok(
    tested.log.some(({ level, fields }) => level === 'warn' && JSON.stringify(fields).includes('public.keyless')),
  );
});

test('only captured tables are published, and a new one is added at the next start', async () => {
  await using database = await createPostgresDatabase({
    sql: 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE secret (id int PRIMARY KEY, v text)',
  });
  const tested = new SourceUnderTest(database, {}, { tables: { include: [/^public\.t.*$/], exclude: [] } });
  const members = () =>
    database
      .query<{ name: string }>(`SELECT prrelid::regclass::text AS name FROM pg_publication_rel ORDER BY 1`)
      .then((rows) => rows.map((row) => row.name));
  await using first = await tested.startFresh();
  assert.deepEqual(await members(), ['t']);
  await database.query(`INSERT INTO secret VALUES (1, 'x'); INSERT INTO t VALUES (1, 'one')`);
  const position = lastPosition(await first.readUntilValue('one'));
  await first[Symbol.asyncDispose]();
  await database.query('CREATE TABLE t_new (id int PRIMARY KEY, v text)');
  await using second = await tested.resume(position);
  assert.deepEqual(await members(), ['t', 't_new']);
  await database.query(`INSERT INTO t_new VALUES (1, 'two')`);
  assert.deepEqual(insertedValues(await second.readUntilValue('two')), ['two']);
});

test('a publication for all tables is refused where it would break the application', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE keyless (v text)' });
  const tested = new SourceUnderTest(database, { slot: { autocreate: 'all_tables' } });
  await assert.rejects(tested.startFresh(), { code: 'POSTGRES_NO_REPLICA_IDENTITY', errorClass: 'configuration' });
  assert.deepEqual(await database.query('SELECT pubname FROM pg_publication'), []);
});

test('without autocreate the publication must be there', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  const tested = new SourceUnderTest(database, { slot: { autocreate: 'disabled' } });
  await assert.rejects(tested.startFresh(), { code: 'POSTGRES_PUBLICATION_MISSING', errorClass: 'configuration' });
  await database.query(`CREATE PUBLICATION ${tested.publication} FOR TABLE t`);
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES (1, 'x')`);
  assert.deepEqual(insertedValues(await source.readUntilValue('x')), ['x']);
});

test('preflight names what is wrong, with a remedy, and changes nothing', async () => {
  await using database = await createPostgresDatabase({
    sql: 'CREATE TABLE keyless (v text); CREATE TABLE t (id int PRIMARY KEY, v text)',
  });
  const tested = new SourceUnderTest(database);
  const findings = await connector.preflight(tested.config, tested.dependencies, tested.signal);
  const identity = findings.find((finding) => finding.check === 'replica_identity');
  assert.equal(identity?.severity, 'warning');
  assert.match(identity?.problem ?? '', /public\.keyless/);
  assert.ok(findings.filter((finding) => finding.severity === 'error').length === 0, JSON.stringify(findings));
  assert.deepEqual(await database.query('SELECT pubname FROM pg_publication'), []);
});

test('preflight of a server that does not answer is a finding', async () => {
  await using database = await createPostgresDatabase();
  const tested = new SourceUnderTest(database);
  const config = { ...tested.config, connection: { ...tested.config.connection, host: '127.0.0.1', port: 1 } };
  const findings = await connector.preflight(config, tested.dependencies, tested.signal);
  assert.deepEqual(
    findings.map(({ check, severity }) => [check, severity]),
    [['connection', 'error']],
  );
});

test('a role with few rights can stream what was prepared for it', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  const role = `r_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN REPLICATION`);
  try {
    const url = new URL(database.url);
    url.username = role;
    const tested = new SourceUnderTest(database, { url: url.href, slot: { autocreate: 'disabled' } });
    await database.query(`CREATE PUBLICATION ${tested.publication} FOR TABLE t`);
    const findings = await connector.preflight(tested.config, tested.dependencies, tested.signal);
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error'),
      [],
    );
    await using source = await tested.startFresh();
    await database.query(`INSERT INTO t VALUES (1, 'x')`);
    assert.deepEqual(insertedValues(await source.readUntilValue('x')), ['x']);
  } finally {
    await database.query(`DROP ROLE ${role}`);
  }
});
