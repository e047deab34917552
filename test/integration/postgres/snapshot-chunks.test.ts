import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, NO_LIMITS, openReader, openView, readChunk, readInChunks, tableNamed } from './reader-under-test.ts';
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
