import assert from 'node:assert/strict';
import { AvroDecoder } from './avro-decoder.ts';
import { Daemon } from './daemon-process.ts';
import { awaitSnapshot, decodeAll } from './tailed-database.ts';
import { rewriteTopic } from './topic-damage.ts';
import { readTopics } from './topic-reader.ts';
import { tableOf, verify } from './verify-command.ts';

/** Statements that make the tables, in SQL that all databases take; rows of `NULL` pass no filter. */
export const FILTERED_TABLES = [
  'CREATE TABLE orders (id int PRIMARY KEY, region varchar(10), note varchar(20))',
  `INSERT INTO orders VALUES ${rows((n) => `(${n}, ${regionOf(n)}, 'first')`)}`,
  'CREATE TABLE visits (region varchar(10), n int)',
  `INSERT INTO visits VALUES ${rows((n) => `(${regionOf(n)}, ${Math.floor(n / 6)})`)}`,
];

export const WHERE = [{ table: '.*\\.(orders|visits)', filter: "region = 'EU' -- and nowhere else" }];

/** Of 30 rows each third is inside of the filter. */
function rows(row: (n: number) => string): string {
  return Array.from({ length: 30 }, (_, index) => row(index + 1)).join(', ');
}

function regionOf(n: number): string {
  return ["'EU'", "'US'", 'NULL'][n % 3]!;
}

export interface FilteredSource {
  readonly source: Readonly<Record<string, unknown>>;
  readonly name: string;
  /** Schema or database of the tables. */
  readonly schema: string;
  query(sql: string): Promise<unknown>;
}

/** Snapshots the tables with `WHERE` and holds what `verify` says of them, also when rows change and records are lost. */
export async function verifyFilteredTables({ source, name, schema, query }: FilteredSource): Promise<void> {
  await using daemon = await Daemon.create({ sources: [source] });
  await daemon.start();
  await awaitSnapshot(daemon, name);
  const [orders, visits] = [`${schema}.orders`, `${schema}.visits`];
  const looked = async () => {
    const verdict = await verify(daemon.configPath, name);
    const of = (table: string) => {
      const { rows: count, outside_filter, missing, extra, different } = tableOf(verdict, table);
      return { rows: count, outside: outside_filter, missing, extra, different };
    };
    return { code: verdict.code, orders: of(orders), visits: of(visits) };
  };
  const none = { missing: [], extra: [], different: [] };
  assert.deepEqual(await looked(), {
    code: 0,
    orders: { rows: 30, outside: 20, ...none },
    visits: { rows: 30, outside: 20, ...none },
  });

  // Rows that were left out and change are told of like all others: 1, 4, 7 … are US, 2, 5, 8 … NULL, 3, 6, 9 … EU.
  await query("UPDATE orders SET note = 'second' WHERE id IN (1, 2, 3)");
  await query('DELETE FROM orders WHERE id IN (4, 5, 6)');
  await query("INSERT INTO orders VALUES (100, 'US', 'new'), (101, 'EU', 'new')");
  await query("UPDATE orders SET region = 'EU' WHERE id = 7");
  await query("UPDATE visits SET n = 77 WHERE region = 'US' AND n = 0");
  await query('DELETE FROM visits WHERE region IS NULL AND n = 1');
  await query("INSERT INTO visits VALUES ('US', 2), ('EU', 2)");
  const changed = await looked();
  assert.equal(changed.code, 0, JSON.stringify(changed));
  assert.deepEqual(changed.orders, { rows: 29, outside: 15, ...none });
  assert.equal(changed.visits.rows, 30);
  assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));

  const decoder = new AvroDecoder();
  const topic = `${name}.${orders}`;
  const decoded = await decodeAll(await readTopics([topic]), decoder);
  // A row inside of the filter is lost (9), and one outside (2), which changed, is there as another.
  const keep = decoded.filter(({ decodedKey }) => decodedKey.id !== 9);
  const stale = keep.find(({ decodedKey }) => decodedKey.id === 2)!;
  const other = keep.find(({ decodedKey }) => decodedKey.id === 1)!;
  await rewriteTopic(topic, () => keep.map((each) => (each === stale ? { ...each, value: other.value } : each)));
  const damaged = await looked();
  assert.equal(damaged.code, 3);
  assert.deepEqual(damaged.orders, { rows: 29, outside: 15, missing: [{ id: 9 }], extra: [], different: [{ id: 2 }] });
  assert.deepEqual(damaged.visits, changed.visits);
}
