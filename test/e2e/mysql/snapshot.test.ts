import { test } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { CHUNK_ROWS, snapshotUnderLoad } from '../../support/snapshot-under-load.ts';
import { uniqueName } from '../../support/unique-name.ts';

const ROWS = 20_000;
const DIGITS =
  '(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)';
const NUMBERS = `(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
  FROM ${DIGITS} a, ${DIGITS} b, ${DIGITS} c, ${DIGITS} e, ${DIGITS} f) numbers`;

const SCHEMA = [
  'CREATE TABLE items (id int PRIMARY KEY, v bigint NOT NULL, pad varchar(300))',
  `INSERT INTO items SELECT n, n, repeat('x', n % 200) FROM ${NUMBERS} WHERE n <= ${ROWS}`,
  'CREATE TABLE mixed (a varchar(20), b datetime(3), n decimal(10, 2), PRIMARY KEY (a, b))',
  `INSERT INTO mixed SELECT concat('K', n % 40), '2026-01-01' + INTERVAL n SECOND, n / 3 FROM ${NUMBERS} WHERE n <= 3000`,
  'CREATE TABLE keyless (v int, t varchar(20))',
  `INSERT INTO keyless SELECT n % 10, concat('t', n) FROM ${NUMBERS} WHERE n <= 500`,
  'CREATE TABLE nothing (id int PRIMARY KEY)',
];

/** The next state of a row, in all writers: every state of a row has a greater one than the state before. */
let versions = ROWS;

/** Changes rows of `items` until told to stop. */
async function write(database: MysqlDatabase, stop: AbortSignal): Promise<number> {
  const client = await database.connect();
  const key = () => 1 + Math.floor(Math.random() * ROWS * 1.1);
  let count = 0;
  try {
    for (; !stop.aborted; count++) {
      const verb = Math.random();
      versions += 1;
      if (verb < 0.5) await client.query('UPDATE items SET v = ? WHERE id = ?', [versions, key()]);
      else if (verb < 0.7) await client.query('DELETE FROM items WHERE id = ?', [key()]);
      else if (verb < 0.9) await client.query("INSERT IGNORE INTO items VALUES (?, ?, 'new')", [key(), versions]);
      else await client.query('UPDATE IGNORE items SET id = ?, v = ? WHERE id = ?', [key(), versions, key()]);
    }
  } finally {
    await client.end();
  }
  return count;
}

for (const { server, label } of await testedServers()) {
  for (const kills of [0, 3]) {
    const named = kills === 0 ? 'under load' : `under load and ${kills} times kill -9`;
    test(`an initial snapshot of ${label} ${named}: the folded topics are the tables`, {
      timeout: 600_000,
    }, async (context) => {
      const name = uniqueName('snap');
      await using database = await createMysqlDatabase(server, SCHEMA);
      const source = { ...mysqlSource(name, database), snapshot: { mode: 'initial', chunk_rows: CHUNK_ROWS } };
      await using daemon = await Daemon.create({ sources: [source] });
      const stop = new AbortController();
      const topic = (table: string) => `${name}.${database.name}.${table}`;
      await snapshotUnderLoad({
        name,
        daemon,
        rows: ROWS,
        kills,
        topics: { items: topic('items'), mixed: topic('mixed'), keyless: topic('keyless') },
        stop,
        // One writer: what another has taken as its number may be written later.
        writers: [write(database, stop.signal)],
        query: (sql) => database.query(sql),
        say: (text) => context.diagnostic(text),
      });
    });
  }
}
