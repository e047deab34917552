import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TailraceError } from '../../../src/core/errors.ts';
import type { RowKey } from '../../../src/core/snapshot.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, NO_LIMITS, openReader, openView, readChunk, readInChunks, tableNamed } from './reader-under-test.ts';
import { SourceUnderTest } from './source-under-test.ts';

/** What COPY escapes, what looks like an escape, and what looks like NULL. */
const TEXTS: readonly (string | null)[] = [
  null,
  '',
  '\\N',
  'N',
  '\\',
  '\\\\',
  '\\.',
  '\\n',
  '\\x41',
  '\\101',
  '\t',
  '\n',
  '\r\n',
  '\b\f\v\x01\x7f',
  'a\tb\\c\nd',
  'é 漢 😀',
  `'"`,
  'NULL',
  'x'.repeat(300_000),
  '\\'.repeat(200_001),
  '\t\n'.repeat(1_000_000),
];

test('values come as they are stored, whatever COPY makes of them', { timeout: 240_000 }, async () => {
  await using database = await createPostgresDatabase({
    sql: 'CREATE TABLE t (a int PRIMARY KEY, before text, v text, after text)',
  });
  for (const [a, v] of TEXTS.entries())
    await database.query('INSERT INTO t VALUES ($1, $2, $3, $2)', [a, a % 2 === 0 ? null : '', v]);
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await using view = await openView(reader, [table]);
  for (const rows of [1, 2, 100]) {
    const chunks = await readInChunks(view, table, { rows });
    const seen = chunks.flatMap((chunk) => chunk.rows);
    assert.equal(seen.length, TEXTS.length);
    for (const [a, row] of seen.entries()) {
      const empty = a % 2 === 0 ? null : '';
      assert.ok(row.v === TEXTS[a], `row ${a} by ${rows}`);
      assert.deepEqual([row.a, row.before, row.after], [String(a), empty, empty]);
    }
  }
});

test('a chunk ends before the row that is beyond a limit, and has one row at least', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a int PRIMARY KEY, v text);
          INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i`,
  });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await using view = await openView(reader, [table]);
  const read = async (limits: object, after: RowKey | null = null) => {
    const { rows, end } = await readChunk(view, chunkOf(table, { after, limits: { ...NO_LIMITS, ...limits } }));
    return { count: rows.length, first: rows[0]?.a, ...end };
  };
  assert.deepEqual(await read({ rows: 7 }), { count: 7, first: '1', last: ['7'], isDone: false });
  assert.deepEqual(await read({ rows: 7 }, ['19993']), { count: 7, first: '19994', last: ['20000'], isDone: true });
  assert.deepEqual(await read({ rows: 7 }, ['19992']), { count: 7, first: '19993', last: ['19999'], isDone: false });
  assert.deepEqual(await read({ rows: 7 }, ['20000']), { count: 0, first: undefined, last: null, isDone: true });
  // A row is its columns, the tab between them and the end of its line.
  assert.deepEqual(await read({ bytes: 3 * 1003 }), { count: 3, first: '1', last: ['3'], isDone: false });
  assert.deepEqual(await read({ bytes: 3 * 1003 + 1002 }), { count: 3, first: '1', last: ['3'], isDone: false });
  assert.deepEqual(await read({ bytes: 1 }), { count: 1, first: '1', last: ['1'], isDone: false });
  assert.deepEqual(await read({ bytes: 1 }, ['19999']), { count: 1, first: '20000', last: ['20000'], isDone: true });

  const timely = await read({ timeMs: 0 });
  assert.equal(timely.isDone, false);
  assert.ok(timely.count > 0 && timely.count < 20_000, `${timely.count} rows`);
  assert.deepEqual(timely.last, [String(timely.count)]);
  // And the reader goes on as before.
  assert.equal((await read({})).count, 20_000);
});

test('time that is up ends a statement that has given a row', { timeout: 120_000 }, async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)`,
  });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await using view = await openView(reader, [table]);
  // COPY sends what it has once its buffer is full or it is done: a row that is large is sent at once.
  const filter = `CASE WHEN a > 3 THEN pg_sleep(60) IS NOT NULL ELSE true END`;
  const limits = { ...NO_LIMITS, timeMs: 200 };
  const reading = readChunk(view, chunkOf(table, { filter, limits, after: ['3'] }));
  const stopped = await Promise.race([
    reading.then(() => 'ended'),
    new Promise((done) => setTimeout(done, 1000, 'waits')),
  ]);
  assert.equal(stopped, 'waits', 'there is no row yet, so the time does not count');
  await database.query(
    `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
  );
  await assert.rejects(reading, (error) => error instanceof TailraceError && error.errorClass === 'transient');
  assert.equal((await readChunk(view, chunkOf(table))).rows.length, 10);
});

test("a filter is the operator's SQL, and an error of it names the table", async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a int PRIMARY KEY, region text); INSERT INTO t SELECT i, CASE i % 3 WHEN 0 THEN 'EU' ELSE '7' END FROM generate_series(1, 30) i`,
  });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await using view = await openView(reader, [table]);
  const some = await readChunk(
    view,
    chunkOf(table, { filter: `t.region = 'EU' OR region = 'US'`, after: ['3'], upTo: ['9'] }),
  );
  assert.deepEqual(
    some.rows.map(({ a }) => a),
    ['6', '9'],
  );
  const check = (filter: string) => reader.checkFilter(table, filter, new AbortController().signal);
  await check(`t.region = 'EU' OR region = 'US' -- a comment`);
  await assert.rejects(check('true); DROP TABLE public.t; SELECT (true'), { code: 'POSTGRES_SNAPSHOT_FILTER' });
  for (const filter of [
    'no_such_column = 1',
    'region = ',
    'region::int = 7',
    '1 / (a - a) = 1',
    'a < 3) OR (a > 9',
    'true)) TO STDOUT; COMMIT; DROP TABLE public.t; --',
  ]) {
    const isRefused = (error: unknown) => {
      assert.ok(error instanceof TailraceError);
      assert.deepEqual(
        [error.code, error.errorClass, error.table],
        ['POSTGRES_SNAPSHOT_FILTER', 'configuration', 'public.t'],
      );
      assert.doesNotMatch(error.message, /EU/);
      return true;
    };
    await assert.rejects(readChunk(view, chunkOf(table, { filter })), isRefused);
    // Only a row can tell that a value does not fit.
    if (!/int = 7|a - a/.test(filter)) await assert.rejects(check(filter), isRefused);
    assert.equal((await readChunk(view, chunkOf(table))).rows.length, 30, 'the view is still good');
  }
});

test('a table without a key is read whole, whatever the limits', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (v text, w int); INSERT INTO t SELECT repeat('x', 500), i FROM generate_series(1, 20000) i`,
  });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  assert.equal(table.key, null);
  await using view = await openView(reader, [table]);
  const limits = { rows: 1, bytes: 1, timeMs: 0 };
  const { rows, end } = await readChunk(view, chunkOf(table, { limits }));
  assert.equal(new Set(rows.map(({ w }) => w)).size, 20_000);
  assert.deepEqual(end, { last: null, isDone: true });
  await database.query('CREATE TABLE without_columns (); INSERT INTO without_columns DEFAULT VALUES');
  await view[Symbol.asyncDispose]();
  const empty = await tableNamed(reader, 'public.without_columns');
  await using second = await openView(reader, [table, empty]);
  assert.deepEqual((await readChunk(second, chunkOf(empty))).rows, [{}]);
  const { rows: few } = await readChunk(second, chunkOf(table, { limits, filter: 'w <= 10' }));
  assert.equal(few.length, 10);
});

test('keys that are asked for are read where they exist still', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a text, b int, PRIMARY KEY (a, b));
          INSERT INTO t SELECT E'it''s \\\\ ' || i, i FROM generate_series(1, 2000) i; ANALYZE`,
  });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await using view = await openView(reader, [table]);
  const keys: RowKey[] = [1999, 3, 2500, 3, 77].map((i) => [`it's \\ ${i}`, String(i)]);
  const { rows, end } = await readChunk(view, chunkOf(table, { keys }));
  assert.deepEqual(
    rows.map(({ b }) => b),
    ['1999', '3', '77'],
  );
  assert.deepEqual(end, { last: keys[4], isDone: true });
  const none = await readChunk(view, chunkOf(table, { keys: [] }));
  assert.deepEqual([none.rows.length, none.end.isDone], [0, true]);
});
