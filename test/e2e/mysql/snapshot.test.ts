import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { readEnvelopes } from '../../support/read-rows.ts';
import { testedServers } from '../../support/server-features.ts';
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
      timeout: 240_000,
    }, async (context) => {
      const name = uniqueName('snap');
      await using database = await createMysqlDatabase(server, SCHEMA);
      const source = { ...mysqlSource(name, database), snapshot: { mode: 'initial', chunk_rows: 1000 } };
      await using daemon = await Daemon.create({ sources: [source] });
      const stop = new AbortController();
      // One writer: what another has taken as its number may be written later.
      const writer = write(database, stop.signal);
      try {
        daemon.start();
        for (let kill = 1; kill <= kills; kill++) {
          await daemon.until(`kill ${kill} finds a snapshot under way`, async () => {
            const { snapshot } = await daemon.status(name);
            const rows = snapshot?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0;
            return snapshot?.state === 'running' && rows >= (kill * ROWS) / (kills + 2);
          });
          await daemon.kill();
          daemon.start();
        }
        await daemon.until(
          'the snapshot is complete',
          async () => {
            const { snapshot, state } = await daemon.status(name);
            return snapshot?.state === 'completed' && state === 'streaming';
          },
          60_000,
        );
        stop.abort();
        const writes = await writer;
        await database.query("INSERT INTO items VALUES (-1, 0, 'end')");
        const topic = `${name}.${database.name}.items`;
        const all = await daemon.until('the end is published', async () => {
          const read = await readEnvelopes(topic);
          return read.at(-1)?.after?.id === -1 ? read : null;
        });
        const folded = new Map<number, string>();
        let repeated = 0;
        for (const { op, before, after } of all) {
          if (op === 'd') folded.delete(Number(before!.id));
          else {
            const known = folded.get(Number(after!.id));
            if (known !== undefined && BigInt(known) > BigInt(String(after!.v))) repeated += 1;
            folded.set(Number(after!.id), String(after!.v));
          }
        }
        if (kills === 0) assert.equal(repeated, 0, 'no key steps back');
        const rows = await database.query<{ id: number; v: number }>('SELECT id, v FROM items ORDER BY id');
        assert.deepEqual(
          [...folded].sort(([a], [b]) => a - b),
          rows.map(({ id, v }) => [id, String(v)]),
        );
        const read = all.filter(({ op }) => op === 'r').length;
        context.diagnostic(`${writes} writes, ${read} rows read of ${rows.length}, ${repeated} states repeated`);
        assert.ok(read <= ROWS * 1.1 + kills * 2 * 1000 * 2, 'only what was under way is read again');
        const mixed = await readEnvelopes(`${name}.${database.name}.mixed`);
        assert.equal(new Set(mixed.map(({ after }) => `${after!.a} ${after!.b}`)).size, 3000);
        const keyless = await readEnvelopes(`${name}.${database.name}.keyless`);
        if (kills === 0) assert.equal(keyless.length, 500);
        assert.equal(new Set(keyless.map(({ after }) => after!.t)).size, 500);
        assert.equal(await daemon.stop(), 0);
      } finally {
        stop.abort();
        await Promise.allSettled([writer]);
        await deleteKafkaTopics(name);
      }
    });
  }
}
