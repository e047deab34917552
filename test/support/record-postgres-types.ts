/**
 * Records `test/fixtures/postgres-types.json.gz`: the columns of the goldens' tables and their rows as the server's own text,
 * so that unit tests need no server. Run it with TEST_POSTGRES_URL set: `node test/support/record-postgres-types.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import type { PgType } from '../../connectors/postgres/pg-type.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import type { RecordedColumn, RecordedTable } from './postgres-type-fixtures.ts';

const TABLES = [
  ...['t_int', 't_num', 't_numspecial', 't_numnan', 't_text', 't_time', 't_timespecial', 't_net', 't_bit', 't_range'],
  ...['t_array', 't_arraybad', 't_ext', 't_geom', 't_default', 'ri_default', 'toast', 'evolve'],
];

const SETTINGS =
  '-c client_encoding=UTF8 -c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=3 ' +
  '-c bytea_output=hex -c lc_monetary=C -c search_path=';

const COLUMNS = `
  SELECT a.attname AS name, a.atttypid::int8 AS type, a.atttypmod AS typmod, NOT a.attnotnull AS nullable,
         pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const TYPE = `
  SELECT n.nspname AS schema, t.typname AS name, t.typtype AS kind, t.typbasetype::int8 AS base, t.typtypmod AS typmod,
         CASE WHEN t.typcategory = 'A' THEN t.typelem::int8 ELSE 0 END AS element,
         (SELECT coalesce(json_agg(enumlabel ORDER BY enumsortorder), '[]') FROM pg_enum WHERE enumtypid = t.oid) AS labels
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = $1`;

const KINDS: Readonly<Record<string, PgType['kind']>> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  r: 'range',
  m: 'multirange',
  p: 'pseudo',
};

const goldens = (name: string): string =>
  readFileSync(new URL(`../fixtures/goldens/postgres/${name}`, import.meta.url), 'utf8');

await using database = await createPostgresDatabase({ prefix: 'record_types' });
await database.query(goldens('00-schema-and-snapshot-rows.sql'));
// Only the inserts: rows that the stream changed or deleted later are wanted as they were inserted.
const inserts = goldens('01-stream.sql').split('-- replica identities')[0]!;
for (const statement of [
  ...inserts.slice(0, inserts.indexOf('update inv.t_num')).split(/\n(?=set|do|insert)/),
  "insert into inv.ri_default select 4, 4, 't4', 4.25, ts, b, u, d, j, e, opt, by, ar, f, ti, iv from inv.ri_default where id = 1",
  "insert into inv.t_default(id, fn3) values (500, '11111111-2222-3333-4444-555555555559')",
]) {
  await database.query(statement);
}

const client = new pg.Client({ connectionString: database.url, options: SETTINGS });
await client.connect();
const tables: RecordedTable[] = [];
for (const table of TABLES) tables.push(await recordTable(`inv.${table}`));
await client.end();
const target = new URL('../fixtures/postgres-types.json.gz', import.meta.url);
writeFileSync(target, gzipSync(JSON.stringify(tables), { level: 9 }));

async function recordTable(name: string): Promise<RecordedTable> {
  const { rows: facts } = await client.query(COLUMNS, [name]);
  const columns: RecordedColumn[] = [];
  for (const { name: column, type, typmod, nullable, expression } of facts) {
    columns.push({ name: column, type: await readType(type), typmod, nullable, defaultExpression: expression });
  }
  // Without parsers the driver hands out what the server sent, which is what COPY and pgoutput send too.
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
  const { rows } = await client.query({ text: `SELECT * FROM ${name} ORDER BY 1`, rowMode: 'array', types });
  return { name, columns, rows: Object.fromEntries(rows.map((row) => [String(row[0]), row])) };
}

async function readType(oid: string): Promise<PgType> {
  const { rows } = await client.query(TYPE, [oid]);
  const { schema, name, kind, base, typmod, element, labels } = rows[0]!;
  return {
    oid: Number(oid),
    schema,
    name,
    kind: KINDS[kind]!,
    element: element === '0' ? null : await readType(element),
    base: base === '0' ? null : { type: await readType(base), typmod },
    labels,
  };
}
