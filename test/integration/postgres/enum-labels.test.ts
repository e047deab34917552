import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RelationFacts } from '../../../connectors/postgres/relation-facts.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { type SeenChange, SourceUnderTest } from './source-under-test.ts';

const SCHEMA = `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (v text PRIMARY KEY, m mood, ms mood[])`;

function versionsByRow(changes: readonly SeenChange[]): (readonly [unknown, string | null])[] {
  return changes
    .filter(({ after }) => after !== null)
    .map(({ after, fingerprint }) => [after?.v, fingerprint] as const);
}

/** Labels of column m in each stored version. */
function storedLabels({ schemas }: SourceUnderTest): (readonly string[])[] {
  const stored = [...schemas.entries].filter(([relation]) => relation !== 'publications');
  return stored
    .flatMap(([, versions]) => versions)
    .map(({ resolved }) => (JSON.parse(resolved) as RelationFacts).columns[1]!.type.labels);
}

test('a row with a label that was added begins a version, and does so in a replay', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const tested = new SourceUnderTest(database);
  await using first = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES ('a', 'sad', '{ok}')`);
  const rows = await first.readUntilValue('a');
  await database.query(`ALTER TYPE mood ADD VALUE 'new' BEFORE 'ok'`);
  await database.query(`INSERT INTO t VALUES ('b', 'ok', '{}'), ('c', 'new', NULL)`);
  rows.push(...(await first.readUntilValue('c')));
  await database.query(`ALTER TYPE mood ADD VALUE 'newer'`);
  await database.query(`INSERT INTO t VALUES ('d', NULL, '{ok,newer}')`);
  rows.push(...(await first.readUntilValue('d')));
  await first[Symbol.asyncDispose]();
  const versions = versionsByRow(rows);
  const [a, b, c, d] = versions.map(([, fingerprint]) => fingerprint);
  assert.equal(a, b);
  assert.equal(new Set([b, c, d]).size, 3);

  // What the log says by a name that the catalog has no more.
  await database.query(`ALTER TYPE mood RENAME VALUE 'sad' TO 'low'`);
  await using second = await tested.resume(first.from);
  assert.deepEqual(versionsByRow(await second.readUntilValue('d')), versions);

  assert.deepEqual(storedLabels(tested), [
    ['sad', 'ok'],
    ['sad', 'new', 'ok'],
    ['sad', 'new', 'ok', 'newer'],
  ]);
});

test('a label that was renamed before the catalog was read is listed nevertheless', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES ('a', 'sad', NULL)`);
  await database.query(`ALTER TYPE mood RENAME VALUE 'sad' TO 'low'`);
  const rows = await source.readUntilValue('a');
  assert.equal(rows.find(({ after }) => after !== null)?.after?.m, 'sad');
  // The catalog's, and once the row was seen, what it needs beside them.
  assert.deepEqual(storedLabels(tested), [
    ['low', 'ok'],
    ['low', 'ok', 'sad'],
  ]);
});
