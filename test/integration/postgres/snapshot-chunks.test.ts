import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlConnection } from '../../../connectors/postgres/connection.ts';
import { readServerFacts } from '../../../connectors/postgres/server-facts.ts';
import { chunkQuery } from '../../../connectors/postgres/snapshot/chunk-statement.ts';
import { readViewTables } from '../../../connectors/postgres/snapshot/read-view-tables.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, openReader, openView, readChunk, readInChunks, tableNamed } from './reader-under-test.ts';
import { SourceUnderTest } from './source-under-test.ts';

/** Key columns of a table, and rows for them. */
const KEYS: Readonly<Record<string, { readonly columns: string; readonly key: string; readonly rows: string }>> = {
  'an int': { columns: 'a int', key: 'a', rows: 'SELECT i * 7 - 100 FROM generate_series(1, 40) i' },
  'a bigint': {
    columns: 'a bigint',
    key: 'a',
    rows: 'SELECT 9223372036854775807 - i * 3 FROM generate_series(0, 40) i UNION SELECT -9223372036854775808',
  },
  'a uuid': { columns: 'a uuid', key: 'a', rows: 'SELECT gen_random_uuid() FROM generate_series(1, 40)' },
  'a text': {
    columns: 'a text',
    key: 'a',
    rows: String.raw`VALUES (''), ('\'), ('\N'), (E'\t'), (E'a\nb'), (E'\\.'), ('''quoted'''), ('ü'), ('a'), ('B'), ('💩')`,
  },
  'a text in an ICU collation': {
    columns: 'a text COLLATE "de-x-icu"',
    key: 'a',
    rows: `VALUES ('z'), ('ä'), ('a'), ('Z'), ('A'), ('o'), ('ö'), ('O'), ('_'), ('-')`,
  },
  'a text in the C collation': {
    columns: 'a text COLLATE "C"',
    key: 'a',
    rows: `VALUES ('z'), ('ä'), ('a'), ('Z'), ('A'), ('o'), ('ö'), ('O'), ('_'), ('-')`,
  },
  'a text in a nondeterministic collation': {
    columns: 'a text COLLATE public.ignoring_case',
    key: 'a',
    rows: `VALUES ('z'), ('ä'), ('A'), ('B'), ('c'), ('D')`,
  },
  'a numeric': {
    columns: 'a numeric',
    key: 'a',
    rows: `VALUES ('NaN'::numeric), ('-Infinity'), ('Infinity'), (0.10), (0.2), (-1e30), (1e-30), (3)`,
  },
  'a timestamptz': {
    columns: 'a timestamptz',
    key: 'a',
    rows: `VALUES ('infinity'::timestamptz), ('-infinity'), ('0044-03-15 12:00 BC'), ('2026-01-01 00:00:00.000001+02'), ('294276-12-31')`,
  },
  'a bytea': {
    columns: 'a bytea',
    key: 'a',
    rows: String.raw`VALUES ('\x'::bytea), ('\x00'), ('\x5c'), ('\xff09'), ('\x0a')`,
  },
  'a float': {
    columns: 'a float8',
    key: 'a',
    rows: `VALUES (0.1::float8), ('NaN'), ('-Infinity'), (1e-300), (0.1 + 0.2)`,
  },
  'a char(n)': { columns: 'a char(5)', key: 'a', rows: `VALUES ('a'), ('ab'), ('b'), (''), ('ü')` },
  'a bit string': { columns: 'a bit(3)', key: 'a', rows: `VALUES (B'101'), (B'001'), (B'111')` },
  'a one-byte char': { columns: 'a "char"', key: 'a', rows: `VALUES ('a'::"char"), ('b'), ('\\')` },
  'an enum': { columns: 'a public.mood', key: 'a', rows: `VALUES ('sad'::public.mood), ('a b'), ('ok')` },
  'an array': { columns: 'a int[]', key: 'a', rows: `VALUES ('{}'::int[]), ('{1,2}'), ('{1,NULL}'), ('{2}')` },
  'a range': { columns: 'a int4range', key: 'a', rows: `VALUES ('empty'::int4range), ('[1,5)'), ('[1,)'), ('(,3)')` },
  'a domain': { columns: 'a public.positive', key: 'a', rows: 'SELECT i FROM generate_series(1, 12) i' },
  'a citext': { columns: 'a public.citext', key: 'a', rows: `VALUES ('b'), ('A'), ('c'), ('B2'), ('a1'), ('C9')` },
  'two columns': {
    columns: 'a int, b text',
    key: 'b, a',
    rows: `SELECT i % 4, (i / 4)::text FROM generate_series(1, 40) i`,
  },
  'a citext and an int': {
    columns: 'a public.citext, b int',
    key: 'a, b',
    rows: `SELECT chr(64 + (i % 3) + 32 * (i % 2)), i FROM generate_series(1, 20) i`,
  },
};

const SCHEMA = `
  CREATE EXTENSION citext;
  CREATE COLLATION public.ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'a b');
  CREATE DOMAIN public.positive AS bigint CHECK (VALUE > 0)`;

test('chunks of every kind of key cover the table exactly once, in the order of its index', async (t) => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  await using reader = await openReader(new SourceUnderTest(database));
  for (const [kind, { columns, key, rows }] of Object.entries(KEYS)) {
    await t.test(kind, async () => {
      await database.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (v int, ${columns}, PRIMARY KEY (${key}))`);
      const names = columns.split(/, /).map((column) => column.split(' ')[0]);
      await database.query(`INSERT INTO t (${names.join(', ')}) ${rows}`);
      const expected = await database.query(
        `SELECT ${names.map((name) => `${name}::text`).join(', ')} FROM t ORDER BY ${key.replaceAll(/\b[ab]\b/g, 't.$&')}`,
      );
      const table = await tableNamed(reader, 'public.t');
      assert.deepEqual(table.key, key.split(', '));
      await using view = await openView(reader, [table]);
      for (const limit of [1, 3, expected.length, 1000]) {
        const chunks = await readInChunks(view, table, { rows: limit });
        assert.ok(chunks.every((chunk) => chunk.rows.length <= limit));
        const seen = chunks.flatMap((chunk) => chunk.rows);
        const keysOf = (row: Record<string, unknown>) => names.map((name) => String(row[name!]).trimEnd());
        assert.deepEqual(seen.map(keysOf), expected.map(keysOf));
      }
      // Ranges by any of the keys, and single keys.
      const all = (await readInChunks(view, table, { rows: 1 }))
        .map(({ end }) => end.last!)
        .filter((last) => last !== null);
      for (const [index, upTo] of all.entries()) {
        const after = index > 1 ? all[index - 2]! : null;
        const { rows, end } = await readChunk(view, chunkOf(table, { after, upTo }));
        assert.equal(rows.length, Math.min(index + 1, 2));
        assert.deepEqual(end, { last: upTo, isDone: true });
      }
      const some = all.filter((_, index) => index % 2 === 0);
      const { rows: wanted } = await readChunk(view, chunkOf(table, { keys: some }));
      assert.equal(wanted.length, some.length);
    });
  }
});

test('an index of several directions, collations and operator classes is followed as it is', async () => {
  await using database = await createPostgresDatabase({
    sql: `${SCHEMA};
      CREATE TABLE t (v text, a int NOT NULL, b text COLLATE "de-x-icu" NOT NULL, c public.citext NOT NULL);
      CREATE UNIQUE INDEX ON t (a DESC NULLS LAST, b COLLATE "C", c);
      ALTER TABLE t REPLICA IDENTITY FULL;
      INSERT INTO t SELECT 'v', i % 3, chr(65 + i % 5 + 32 * (i % 2)), chr(65 + i) FROM generate_series(0, 59) i;
      CREATE TABLE u (a text COLLATE "de-x-icu" NOT NULL, v text);
      CREATE UNIQUE INDEX ON u (a text_pattern_ops);
      ALTER TABLE u REPLICA IDENTITY FULL;
      INSERT INTO u SELECT chr(65 + i % 26 + 32 * (i % 2)) || i, 'v' FROM generate_series(0, 59) i;
      ANALYZE`,
  });
  await using reader = await openReader(new SourceUnderTest(database));
  for (const [name, order] of [
    ['t', 't.a DESC, t.b COLLATE "C", t.c'],
    ['u', 'u.a COLLATE "C"'],
  ] as const) {
    const table = await tableNamed(reader, `public.${name}`);
    const columns = table.key!.map((column) => `${column}::text`).join(', ');
    const expected = await database.query<Record<string, string>>(`SELECT ${columns} FROM ${name} ORDER BY ${order}`);
    await using view = await openView(reader, [table]);
    for (const rows of [1, 7, 60]) {
      const chunks = await readInChunks(view, table, { rows });
      const keys = chunks.flatMap((chunk) => chunk.rows.map((row) => table.key!.map((column) => row[column])));
      assert.deepEqual(
        keys,
        expected.map((row) => table.key!.map((column) => row[column])),
      );
    }
  }
});

test('a chunk is read by the index of its key, whatever the key', async () => {
  await using database = await createPostgresDatabase({
    sql: `${SCHEMA};
      CREATE TABLE by_text (a text COLLATE "de-x-icu" PRIMARY KEY, v text);
      INSERT INTO by_text SELECT md5(i::text), 'v' FROM generate_series(1, 20000) i;
      CREATE TABLE by_two (a int, b public.mood, v text, PRIMARY KEY (a, b));
      INSERT INTO by_two SELECT i, 'ok', 'v' FROM generate_series(1, 20000) i;
      CREATE TABLE by_citext (a public.citext, b public.positive, v text, PRIMARY KEY (a, b));
      INSERT INTO by_citext SELECT md5(i::text), i, 'v' FROM generate_series(1, 20000) i;
      CREATE TABLE by_varchar (a varchar(40) PRIMARY KEY, v text);
      INSERT INTO by_varchar SELECT md5(i::text), 'v' FROM generate_series(1, 20000) i;
      ANALYZE`,
  });
  const source = new SourceUnderTest(database);
  await using sql = new SqlConnection(source.config.connection, 'test');
  const server = await readServerFacts(sql, source.signal);
  const names = ['by_text', 'by_two', 'by_citext', 'by_varchar'].map((name) => ({ schema: 'public', name }));
  const tables = await readViewTables(sql, names, source.config, server, new Map(), source.signal);
  // As the readers do.
  await sql.query('setting', 'SET enable_sort = off', [], source.signal);
  for (const table of tables.values()) {
    const key = await sql.query<{ key: string[] }>(
      'looking for a key',
      `SELECT ARRAY[${table.key!.columns.map(({ name }) => `${name}::text`).join(', ')}] AS key FROM ${table.from} LIMIT 3`,
      [],
      source.signal,
    );
    const [after, upTo, third] = key.map((row) => row.key) as [string[], string[], string[]];
    for (const parts of [{ after }, { after, upTo }, { keys: [after, upTo, third] }]) {
      const limits = { rows: 100, bytes: 1e9, timeMs: 1e9 };
      const snapshotTable = { id: table.id, key: [], estimatedRows: null };
      const query = chunkQuery(table, {
        table: snapshotTable,
        after: null,
        upTo: null,
        keys: null,
        filter: null,
        ...parts,
        limits,
      });
      const plan = await sql.query<{ 'QUERY PLAN': string }>('explaining', `EXPLAIN ${query}`, [], source.signal);
      const text = plan.map((row) => row['QUERY PLAN']).join('\n');
      assert.match(text, /Index/, text);
      assert.doesNotMatch(text, /Seq Scan/, text);
      if (!('keys' in parts)) assert.doesNotMatch(text, /Sort/, text);
    }
  }
});
