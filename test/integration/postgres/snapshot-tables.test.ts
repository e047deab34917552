import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlConnection } from '../../../connectors/postgres/connection.ts';
import { readServerFacts } from '../../../connectors/postgres/server-facts.ts';
import { chunkQuery } from '../../../connectors/postgres/snapshot/chunk-statement.ts';
import { readViewTables } from '../../../connectors/postgres/snapshot/read-view-tables.ts';
import type { RowKey } from '../../../src/core/snapshot.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, openReader, openView, readChunk, tableNamed } from './reader-under-test.ts';
import { SourceUnderTest } from './source-under-test.ts';

const SCHEMA = `
  CREATE SCHEMA "Odd ""schema""";
  CREATE TABLE by_primary_key (a int, b int, v text, PRIMARY KEY (b, a));
  CREATE TABLE by_deferrable_key (a int PRIMARY KEY DEFERRABLE, v text);
  CREATE TABLE by_unique_key (v text, a int NOT NULL UNIQUE);
  CREATE TABLE by_nullable_key (v text, a int UNIQUE);
  CREATE TABLE by_partial_key (v text NOT NULL, a int NOT NULL);
  CREATE UNIQUE INDEX ON by_partial_key (a) WHERE a > 0;
  CREATE UNIQUE INDEX ON by_partial_key (lower(v));
  CREATE TABLE by_index (a int PRIMARY KEY, b text COLLATE "C" NOT NULL, c int NOT NULL, v text);
  CREATE UNIQUE INDEX by_index_b ON by_index (b COLLATE "POSIX" DESC, c) INCLUDE (v);
  ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_b;
  CREATE TABLE full_with_key (v text, a int PRIMARY KEY);
  ALTER TABLE full_with_key REPLICA IDENTITY FULL;
  CREATE TABLE full_with_unique (v text, a int NOT NULL, b int NOT NULL, UNIQUE (b, a));
  ALTER TABLE full_with_unique REPLICA IDENTITY FULL;
  CREATE TABLE full_without (v text);
  ALTER TABLE full_without REPLICA IDENTITY FULL;
  CREATE TABLE nothing_with_key (v text, a int PRIMARY KEY);
  ALTER TABLE nothing_with_key REPLICA IDENTITY NOTHING;
  CREATE TABLE keyless (v text, a int DEFAULT 5);
  CREATE TABLE "Odd ""schema"""."Odd 'table'" ("a b" int PRIMARY KEY, "select" text DEFAULT 'x', g int GENERATED ALWAYS AS (7) STORED);
  CREATE TABLE dropped_column (v text, x int, a int PRIMARY KEY);
  ALTER TABLE dropped_column DROP COLUMN x;
  CREATE TABLE hidden (v text PRIMARY KEY);
  CREATE UNLOGGED TABLE unlogged (v text PRIMARY KEY);
  CREATE VIEW a_view AS SELECT 1 AS v;
  CREATE TABLE parent (v text, a int PRIMARY KEY);
  CREATE TABLE child (CHECK (a > 100), PRIMARY KEY (a)) INHERITS (parent)`;

const INSERTS: readonly (readonly [table: string, values: string])[] = [
  ['by_primary_key', '(a, b, v) VALUES (1, 2, $1)'],
  ['by_deferrable_key', '(a, v) VALUES (1, $1)'],
  ['by_unique_key', '(a, v) VALUES (1, $1)'],
  ['by_nullable_key', '(a, v) VALUES (1, $1)'],
  ['by_partial_key', '(a, v) VALUES (1, $1)'],
  ['by_index', `(a, b, c, v) VALUES (1, 'b', 3, $1)`],
  ['full_with_key', '(a, v) VALUES (1, $1)'],
  ['full_with_unique', '(a, b, v) VALUES (1, 2, $1)'],
  ['full_without', '(v) VALUES ($1)'],
  ['nothing_with_key', '(a, v) VALUES (1, $1)'],
  ['keyless', '(v) VALUES ($1)'],
  [`"Odd ""schema"""."Odd 'table'"`, '("a b", "select") VALUES (1, $1)'],
  ['dropped_column', '(a, v) VALUES (1, $1)'],
  ['parent', '(a, v) VALUES (1, $1)'],
  ['child', '(a, v) VALUES (101, $1)'],
];

const KEYS: Readonly<Record<string, readonly string[] | null>> = {
  by_primary_key: ['b', 'a'],
  by_deferrable_key: null,
  by_unique_key: ['a'],
  by_nullable_key: null,
  by_partial_key: null,
  by_index: ['b', 'c'],
  full_with_key: ['a'],
  full_with_unique: ['b', 'a'],
  full_without: null,
  nothing_with_key: ['a'],
  keyless: null,
  "Odd 'table'": ['a b'],
  dropped_column: ['a'],
  parent: ['a'],
  child: ['a'],
};

test('tables have the key, the version and the rows that the stream gives them, whatever their identity', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const tables = { include: [/^(public|Odd "schema")\..*$/], exclude: [/^public\.hidden$/] };
  const tested = new SourceUnderTest(database, {}, { tables });
  await using reader = await openReader(tested);
  const before = await reader.readTables(tested.signal);
  await using source = await tested.startFresh();
  const after = await reader.readTables(tested.signal);
  assert.deepEqual(after, before, 'what the publications will cover is what they cover');
  assert.deepEqual(Object.fromEntries(after.map(({ id, key }) => [id.name, key])), KEYS);

  for (const [table, values] of INSERTS) await database.query(`INSERT INTO ${table} ${values.replace('$1', `'v'`)}`);
  await database.query(`INSERT INTO keyless VALUES ('end')`);
  const streamed = (await source.readUntil(({ after: row }) => row?.v === 'end')).filter(
    ({ kind }) => kind === 'insert',
  );
  const versions = new Map(streamed.map(({ table, fingerprint }) => [table, fingerprint]));

  await using view = await openView(reader, after, 3);
  for (const [number, table] of after.entries()) {
    const { rows, versions: read } = await readChunk(view, chunkOf(table), number % 3);
    assert.equal(rows.length, table.id.name === 'keyless' ? 2 : 1, table.id.name);
    assert.equal(read[0]!.fingerprint, versions.get(table.id.name), table.id.name);
    assert.deepEqual(rows[0], streamed.find((change) => change.table === table.id.name)!.after);
  }
});

test('the key of a row is the same text whether it was read or streamed, and finds the row', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (v text, a timestamptz, b numeric, c bytea, d text, PRIMARY KEY (d, c, b, a))`,
  });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query(
    String.raw`INSERT INTO t VALUES ('1', '2026-01-01 12:00:00.1+05', 1.10, '\x005c', E'a\tb''\\'), ('2', 'infinity', 'NaN', '', '')`,
  );
  await database.query(`UPDATE t SET v = 'x' || v`);
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  const streamed: (RowKey | null)[] = [];
  while (streamed.length < 4) {
    const { value: batch, done } = await source.next();
    if (done === true) throw new Error('the stream ended');
    for (let index = 0; index < batch.count; index++) {
      if (batch.versions[index] !== null) streamed.push(reader.keyOf(table, batch, index));
    }
    batch.release();
  }
  await using view = await openView(reader, [table]);
  const read: (RowKey | null)[] = [];
  for await (const batch of view.read(chunkOf(table), 0, tested.signal)) {
    for (let index = 0; index < batch.count; index++) read.push(reader.keyOf(table, batch, index));
    batch.release();
  }
  const sorted = (keys: readonly (RowKey | null)[]) => keys.map((key) => JSON.stringify(key)).sort();
  assert.deepEqual(sorted([...read, ...read]), sorted(streamed));
  assert.equal((await readChunk(view, chunkOf(table, { keys: streamed.map((key) => key!) }))).rows.length, 2);
});

const PARTITIONED = `
  CREATE TABLE part (v text, a int PRIMARY KEY) PARTITION BY RANGE (a);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
  CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (a);
  CREATE TABLE part_2a PARTITION OF part_2 FOR VALUES FROM (10) TO (20);
  CREATE TABLE part_2b (a int NOT NULL, dropped int, v text);
  ALTER TABLE part_2b DROP COLUMN dropped;
  ALTER TABLE part_2 ATTACH PARTITION part_2b FOR VALUES FROM (20) TO (30);
  INSERT INTO part SELECT 'v' || i, i FROM generate_series(0, 29) i;
  ANALYZE`;

for (const viaRoot of [false, true]) {
  test(`a partitioned table is read ${viaRoot ? 'by its root' : 'by its leaves'}, as it is published`, async () => {
    await using database = await createPostgresDatabase({ sql: PARTITIONED });
    const tested = new SourceUnderTest(database, { publish_via_partition_root: viaRoot });
    await using reader = await openReader(tested);
    const before = await reader.readTables(tested.signal);
    await using source = await tested.startFresh();
    const tables = await reader.readTables(tested.signal);
    assert.deepEqual(tables, before);
    assert.deepEqual(
      tables.map(({ id, estimatedRows }) => [id.name, estimatedRows]),
      viaRoot
        ? [['part', 30]]
        : [
            ['part_1', 10],
            ['part_2a', 10],
            ['part_2b', 10],
          ],
    );
    await database.query('UPDATE part SET a = a');
    await database.query(`INSERT INTO part_1 VALUES ('end', -1 + 1) ON CONFLICT (a) DO UPDATE SET v = 'end'`);
    const streamed = (await source.readUntil(({ after }) => after?.v === 'end')).filter(
      ({ kind }) => kind === 'update',
    );
    await using view = await openView(reader, tables);
    let count = 0;
    for (const table of tables) {
      const { rows, versions } = await readChunk(view, chunkOf(table));
      count += rows.length;
      const ofStream = streamed.find((change) => change.table === table.id.name);
      assert.equal(versions[0]!.fingerprint, ofStream!.fingerprint, table.id.name);
    }
    assert.equal(count, 30);
  });
}

test('column lists and row filters of a publication hold for what is read', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a int PRIMARY KEY, secret text, v text);
          CREATE TABLE u (a int PRIMARY KEY, v text);
          INSERT INTO t SELECT i, 'secret', 'v' || i FROM generate_series(1, 10) i;
          INSERT INTO u SELECT i, 'v' || i FROM generate_series(1, 10) i`,
  });
  const [server] = await database.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version`,
  );
  if (server!.version < 15) return;
  const tested = new SourceUnderTest(database, { slot: { autocreate: 'disabled' } });
  await database.query(
    `CREATE PUBLICATION ${tested.publication} FOR TABLE t (a, v) WHERE (a > 3 AND a < 9), u WHERE (a = 1 OR a = 2)`,
  );
  await using source = await tested.startFresh();
  await using reader = await openReader(tested);
  const tables = await reader.readTables(tested.signal);
  await database.query(`UPDATE t SET v = 'end' WHERE a = 8`);
  const streamed = await source.readUntil(({ after }) => after?.v === 'end');
  await using view = await openView(reader, tables);
  const [t, u] = tables;
  const ofT = await readChunk(view, chunkOf(t!, { filter: 'a <> 5 -- not this one' }));
  assert.deepEqual(
    ofT.rows.map(({ a }) => a),
    ['4', '6', '7', '8'],
  );
  assert.deepEqual(Object.keys(ofT.rows[0]!), ['a', 'v']);
  assert.equal(ofT.versions[0]!.fingerprint, streamed.find(({ table }) => table === 't')!.fingerprint);
  assert.deepEqual(
    (await readChunk(view, chunkOf(u!))).rows.map(({ a }) => a),
    ['1', '2'],
  );
});

test('generated columns are read where the publication has them', async () => {
  await using database = await createPostgresDatabase();
  const [server] = await database.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version`,
  );
  if (server!.version < 18) return;
  const tested = new SourceUnderTest(database, { slot: { autocreate: 'disabled' } });
  await database.query(
    `CREATE TABLE t (a int PRIMARY KEY, s int GENERATED ALWAYS AS (a + 1) STORED, w int GENERATED ALWAYS AS (a + 2) VIRTUAL, v text);
     CREATE TABLE u (a int PRIMARY KEY, s int GENERATED ALWAYS AS (a + 1) STORED, v text);
     INSERT INTO t (a, v) VALUES (1, 'v');
     INSERT INTO u (a, v) VALUES (1, 'v');
     CREATE PUBLICATION ${tested.publication} FOR TABLE t WITH (publish_generated_columns = stored);
     CREATE PUBLICATION ${tested.publication}_insert_only FOR TABLE u (a, s) WITH (publish = insert)`,
  );
  const both = new SourceUnderTest(database);
  await using source = await both.startFresh();
  await using reader = await openReader(both);
  const tables = await reader.readTables(both.signal);
  await database.query(`INSERT INTO u (a, v) VALUES (2, 'w'); INSERT INTO t (a, v) VALUES (2, 'end')`);
  const streamed = await source.readUntil(({ after }) => after?.v === 'end');
  await using view = await openView(reader, tables);
  for (const table of tables) {
    const { rows, versions } = await readChunk(view, chunkOf(table));
    const change = streamed.find((seen) => seen.table === table.id.name && seen.after !== null)!;
    assert.deepEqual(rows[1], change.after);
    assert.equal(versions[0]!.fingerprint, change.fingerprint);
  }
});

test('a table that no publication of others covers is not among the tables', async () => {
  await using database = await createPostgresDatabase({
    sql: 'CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int PRIMARY KEY)',
  });
  const tested = new SourceUnderTest(database, { slot: { autocreate: 'disabled' } });
  await database.query(`CREATE PUBLICATION ${tested.publication} FOR TABLE t`);
  await using reader = await openReader(tested);
  const tables = await reader.readTables(tested.signal);
  assert.deepEqual(
    tables.map(({ id }) => id.name),
    ['t'],
  );
});

test('a NULL under a constraint that is not valid yet begins a nullable version, as in the stream', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, 'y')`,
  });
  // What NOT NULL ... NOT VALID of Postgres 18 leaves in the catalog, for every version.
  await database.query(`UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 't'::regclass AND attname = 'v'`);
  const tested = new SourceUnderTest(database);
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  await using view = await openView(reader, [table]);
  const { rows, versions } = await readChunk(view, chunkOf(table));
  assert.deepEqual(
    rows.map(({ v }) => v),
    ['x', null, 'y'],
  );
  assert.deepEqual(
    versions.map((version) => version!.columns[1]!.nullable),
    [false, true, true],
  );
});

test('keys divide a table into ranges of about the same size', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (b text, a int, filler text, PRIMARY KEY (b, a));
          INSERT INTO t SELECT (i % 1000)::text, i, repeat('x', 50) FROM generate_series(1, 100000) i;
          CREATE TABLE small (a int PRIMARY KEY);
          CREATE TABLE keyless (a int);
          INSERT INTO keyless SELECT generate_series(1, 50000);
          ANALYZE`,
  });
  const tested = new SourceUnderTest(database);
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  const keys = await reader.divide(table, 4, tested.signal);
  assert.equal(keys.length, 3);
  await using view = await openView(reader, [table], 2);
  const sizes: number[] = [];
  for (const [index, after] of [null, ...keys].entries()) {
    const { rows } = await readChunk(view, chunkOf(table, { after, upTo: keys[index] ?? null }), index % 2);
    sizes.push(rows.length);
  }
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    100_000,
  );
  assert.ok(Math.min(...sizes) > 15_000, `sizes are ${sizes}`);
  assert.deepEqual(await reader.divide(await tableNamed(reader, 'public.small'), 4, tested.signal), []);
  assert.deepEqual(await reader.divide(await tableNamed(reader, 'public.keyless'), 4, tested.signal), []);
});

test('a table without a key is divided by the places of its rows, each range read without the others', async () => {
  const rows = 25_000;
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (n int, filler text);
          INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, ${rows}) i;
          CREATE TABLE parts (n int, filler text) PARTITION BY RANGE (n);
          CREATE TABLE part PARTITION OF parts DEFAULT;
          INSERT INTO parts SELECT * FROM t`,
  });
  const tested = new SourceUnderTest(database);
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  assert.equal(table.key, null);
  const places = await reader.divide(table, 3, tested.signal);
  assert.equal(places.length, 2);
  await using view = await openView(reader, [table], 3);
  // Rows that move behind the view, and pages that are new to the table.
  await database.query('UPDATE t SET n = -n WHERE n % 10 = 0; DELETE FROM t WHERE n % 10 = 1');
  const chunks = [null, ...places].map((after, index) => chunkOf(table, { after, upTo: places[index] ?? null }));
  const read = await Promise.all(chunks.map((chunk, index) => readChunk(view, chunk, index)));
  const sizes = read.map(({ rows: some }) => some.length);
  assert.ok(Math.min(...sizes) > rows / 4, `sizes are ${sizes}`);
  const numbers = read.flatMap(({ rows: some }) => some.map(({ n }) => Number(n)));
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: rows }, (_, index) => index + 1),
  );
  const filtered = await readChunk(view, { ...chunks[1]!, filter: 'n % 2 = 0 OR n < 0' }, 1);
  assert.equal(filtered.rows.length, read[1]!.rows.filter(({ n }) => Number(n) % 2 === 0).length);

  await using sql = new SqlConnection(tested.config.connection, 'test');
  const server = await readServerFacts(sql, tested.signal);
  const found = await readViewTables(
    sql,
    [{ schema: 'public', name: 't' }],
    tested.config,
    server,
    new Map(),
    tested.signal,
  );
  for (const chunk of chunks) {
    const plan = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${chunkQuery(found.get('public.t')!, chunk)}`);
    assert.match(plan.map((line) => line['QUERY PLAN']).join('\n'), /Tid Range Scan/);
  }
  await view[Symbol.asyncDispose]();
  assert.equal((await reader.divide(await tableNamed(reader, 'public.part'), 2, tested.signal)).length, 1);
});
