import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PgChangeBatch } from '../../../connectors/postgres/pg-change-batch.ts';
import { AvroWriter } from '../../../src/avro/avro-writer.ts';
import { RowPlan } from '../../../src/avro/row-plan.ts';
import { type ChangeBatch, ChangeKind } from '../../../src/core/change-batch.ts';
import { PoisonChangeError } from '../../../src/core/errors.ts';
import { qualifiedName, RowCells, type TableVersion } from '../../../src/core/table.ts';
import { goldenSql } from '../../support/golden-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, openReader, openView } from './reader-under-test.ts';
import { type RunningSource, SourceUnderTest } from './source-under-test.ts';

/** A row as the production encoder writes its columns, and the version that it has. */
interface EncodedRow {
  readonly fingerprint: string;
  readonly hex: string;
}

type EncodedTables = Map<string, EncodedRow[]>;

const MODES: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { decimal: 'string', time: 'isostring', binary: 'base64', interval: 'string', hstore: 'map', unknown: 'include' },
  { decimal: 'double', time: 'structured', binary: 'hex' },
];

const writer = new AvroWriter();
const plans = new WeakMap<TableVersion, RowPlan>();

function encode(batch: ChangeBatch<unknown>, index: number, into: EncodedTables): void {
  const version = batch.versions[index]!;
  const name = qualifiedName(version.id);
  let plan = plans.get(version);
  if (plan === undefined) {
    const names = version.columns.map((column) => column.name);
    plan = new RowPlan(
      name,
      version.columns.map((column, at) => ({ index: at, column })),
      names,
    );
    plans.set(version, plan);
  }
  const cells = new RowCells();
  cells.reserve(version.columns.length);
  version.locate(batch, index, 'after', cells);
  writer.reset();
  let hex: string;
  try {
    plan.write(writer, batch, cells, 'after');
    hex = writer.buffer.toString('hex', 0, writer.length);
  } catch (error) {
    if (!(error instanceof PoisonChangeError)) throw error;
    hex = `poison: ${error.message}`;
  }
  const rows = into.get(name) ?? [];
  rows.push({ fingerprint: version.fingerprint, hex });
  into.set(name, rows);
}

/** Every table with rows of every type, and the inserts that the goldens stream. */
async function fill(database: PostgresDatabase): Promise<void> {
  const [server] = await database.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version`,
  );
  const schema = goldenSql('00-schema-and-snapshot-rows');
  await database.query(server!.version >= 15 ? schema : schema.replace(/numeric\((5,-2|3,5)\)/g, 'numeric'));
  const inserts = goldenSql('01-stream').split('-- replica identities')[0]!;
  for (const statement of inserts.slice(0, inserts.indexOf('update inv.t_num')).split(/\n(?=set|do|insert)/)) {
    await database.query(statement);
  }
}

async function readSnapshot(tested: SourceUnderTest): Promise<EncodedTables> {
  const encoded: EncodedTables = new Map();
  await using reader = await openReader(tested);
  const tables = await reader.readTables(tested.signal);
  await using view = await openView(reader, tables);
  for (const table of tables) {
    for await (const batch of view.read(chunkOf(table), 0, tested.signal)) {
      for (let index = 0; index < batch.count; index++) {
        assert.equal(batch.kinds[index], ChangeKind.read);
        assert.equal(batch.hasBefore[index], 0);
        assert.equal(batch.details[index], null);
        encode(batch, index, encoded);
      }
      batch.release();
    }
  }
  return encoded;
}

async function readTouched(source: RunningSource, marker: string): Promise<EncodedTables> {
  const encoded: EncodedTables = new Map();
  for (;;) {
    const { value, done } = await source.next();
    if (done === true) throw new Error('the stream ended');
    const batch: PgChangeBatch = value;
    let isLast = false;
    for (let index = 0; index < batch.count; index++) {
      const name = batch.versions[index]?.id.name;
      if (name === marker) isLast = true;
      else if (batch.kinds[index] === ChangeKind.update) encode(batch, index, encoded);
    }
    batch.release();
    if (isLast) return encoded;
  }
}

for (const types of MODES) {
  test(`a row that is read has the bytes and the schema that it has in the stream: ${JSON.stringify(types)}`, async () => {
    await using database = await createPostgresDatabase({ prefix: 'snapshot_types' });
    await fill(database);
    const names = await database.query<{ name: string; first: string; generated: boolean }>(
      `SELECT c.oid::regclass::text AS name, quote_ident(a.attname) AS first,
              EXISTS (SELECT FROM pg_attribute g WHERE g.attrelid = c.oid AND g.attgenerated <> '') AS generated
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    // Then an update carries every column, one that is unchanged and large as well.
    for (const { name, generated } of names) {
      // Postgres 18 does not update such a table: its whole identity has a column that is not published.
      if (!generated) await database.query(`ALTER TABLE ${name} REPLICA IDENTITY FULL`);
    }
    await database.query('CREATE TABLE last_of_all (v text)');
    const tested = new SourceUnderTest(database, { types });
    await using source = await tested.startFresh();
    const read = await readSnapshot(tested);
    for (const { name, first } of names) await database.query(`UPDATE ${name} SET ${first} = ${first}`);
    await database.query(`INSERT INTO last_of_all VALUES ('x')`);
    const streamed = await readTouched(source, 'last_of_all');

    assert.deepEqual([...read.keys()].sort(), [...streamed.keys()].sort());
    assert.ok(read.size > 25, `only ${read.size} tables`);
    const byBytes = (a: EncodedRow, b: EncodedRow) => (a.hex < b.hex ? -1 : 1);
    for (const [name, rows] of read) {
      assert.deepEqual(rows.sort(byBytes), streamed.get(name)!.sort(byBytes), name);
    }
  });
}
