import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { goldenSql } from '../support/golden-topics.ts';
import { type PythonRecord, readWithPython } from '../support/python-consumer.ts';
import { type SourceColumn, sqlJudge, type TypeModes } from '../support/sql-judge.ts';
import { sqlStatements } from '../support/sql-statements.ts';
import { caughtUp, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';
import { listTopics } from '../support/topic-reader.ts';

const MODES: Readonly<Record<string, TypeModes>> = {
  plain: { decimal: 'precise', time: 'adaptive', binary: 'bytes', interval: 'numeric', hstore: 'json' },
  text: { decimal: 'string', time: 'isostring', binary: 'hex', interval: 'string', hstore: 'map' },
  connect: { decimal: 'double', time: 'connect', binary: 'base64', interval: 'numeric', hstore: 'json' },
};

/** numeric(5,-2) and numeric(3,5): in precise mode their scale exceeds their precision, as in Debezium, which fastavro refuses. */
const NOT_AVRO = ['inv\\.t_num\\.(n5neg|n35)'];

/**
 * Python reads every type from the topics, and Postgres itself says whether what Python got is what its tables hold: each
 * decoded value is turned back into a value of the column's type in SQL, and compared there.
 */
it('Python with librdkafka and fastavro gets the values that Postgres has, in every mode', async (t) => {
  await using tailed = await tailedDatabase("SET timezone = 'UTC'");
  const statements = sqlStatements(goldenSql('00-schema-and-snapshot-rows'));
  for (const statement of statements) if (/^create /i.test(statement)) await tailed.query(statement);
  const sourceOf = (mode: string) => `${tailed.prefix}_${mode}`;
  await using daemon = await Daemon.create({
    sources: Object.entries(MODES).map(([mode, types]) =>
      tailed.source({ types, tables: { include: ['inv\\.t_.*'] }, columns: { exclude: NOT_AVRO } }, sourceOf(mode)),
    ),
  });
  await daemon.start().streaming();
  for (const statement of statements) if (/^insert into inv\.t_/i.test(statement)) await tailed.query(statement);
  for (const mode of Object.keys(MODES)) await caughtUp(daemon, tailed, sourceOf(mode));
  assert.equal(await daemon.stop(), 0);

  const records = await readWithPython(await listTopics(tailed.prefix));
  const columns = await columnsOf(tailed);
  const problems: string[] = [];
  let judged = 0;
  for (const [mode, types] of Object.entries(MODES)) {
    for (const [table, tableColumns] of columns) {
      const rows = records.filter(({ topic }) => topic === `${sourceOf(mode)}.inv.${table}`);
      const [{ count } = { count: 0 }] = await tailed.query<{ count: number }>(
        `SELECT count(*)::int FROM inv.${table}`,
      );
      if (rows.length !== count) problems.push(`${mode} ${table}: ${rows.length} records of ${count} rows`);
      for (const row of rows) {
        const { seen, wrong } = await judge(tailed, table, tableColumns, types, row);
        judged += seen;
        problems.push(...wrong.map((each) => `${mode} ${table} id ${row.key?.id}: ${each}`));
      }
    }
  }
  t.diagnostic(`${judged} values compared`);
  assert.deepEqual(problems, []);
  assert.ok(judged > 1_500, `only ${judged} values were compared`);
});

/** As in Debezium, an array of bit strings has the schema of one bit string and is always null. */
function isLost(type: string): boolean {
  return /^bit\(\d+\)\[\]$/.test(type);
}

async function judge(
  tailed: TailedDatabase,
  table: string,
  columns: readonly SourceColumn[],
  types: TypeModes,
  { key, value, json }: PythonRecord,
): Promise<{ readonly seen: number; readonly wrong: readonly string[] }> {
  const after = value?.after ?? {};
  const known = columns.filter(({ name }) => name in after);
  const questions = known.map((column) => `(${sqlJudge(column, types)}) AS "${column.name}"`);
  const sql = `SELECT ${questions.join(', ')} FROM inv.${table}, (SELECT $1::jsonb->'value'->'after' AS v OFFSET 0) wire WHERE id = $2`;
  const [answer] = await tailed
    .query<Record<string, boolean | null>>(sql, [json, key?.id])
    .catch(async (error: unknown) => {
      for (const [i, question] of questions.entries()) {
        const one = `SELECT ${question} FROM inv.${table}, (SELECT $1::jsonb->'value'->'after' AS v OFFSET 0) wire WHERE id = $2`;
        await tailed.query(one, [json, key?.id]).catch((cause: unknown) => {
          const { name, type } = known[i]!;
          throw new Error(`${table}.${name} ${type}: ${JSON.stringify(after[name])} is no value`, { cause });
        });
      }
      throw error;
    });
  const wrong = known
    .filter(({ name, type }) => answer?.[name] !== true && !isLost(type))
    .map(({ name, type }) => `${name} ${type} is not ${JSON.stringify(after[name])}`);
  return { seen: known.length, wrong };
}

async function columnsOf(tailed: TailedDatabase): Promise<Map<string, SourceColumn[]>> {
  const rows = await tailed.query<SourceColumn & { table: string }>(`
    SELECT c.relname AS table, a.attname AS name, format_type(b.oid, CASE WHEN t.typtype = 'd' THEN -1 ELSE a.atttypmod END) AS type,
      CASE WHEN b.typelem <> 0 AND b.typlen = -1 THEN format_type(b.typelem, a.atttypmod) END AS element
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
      JOIN LATERAL (WITH RECURSIVE base AS (
          SELECT t.oid, t.typbasetype UNION ALL SELECT p.oid, p.typbasetype FROM base JOIN pg_type p ON p.oid = base.typbasetype)
        SELECT p.* FROM base JOIN pg_type p USING (oid) WHERE base.typbasetype = 0) b ON true
    WHERE c.relnamespace = 'inv'::regnamespace AND c.relkind = 'r' AND c.relname LIKE 't\\_%' AND a.attnum > 0
      AND a.attgenerated = '' AND NOT a.attisdropped ORDER BY c.relname, a.attnum`);
  return Map.groupBy(rows, ({ table }) => table);
}
