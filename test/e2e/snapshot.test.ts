import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

const ROWS = 30_000;

const SCHEMA = `
  CREATE TABLE items (id int PRIMARY KEY, v bigint NOT NULL, pad text);
  CREATE SEQUENCE versions;
  INSERT INTO items SELECT n, nextval('versions'), repeat('x', n % 200) FROM generate_series(1, ${ROWS}) n;
  CREATE TABLE "Mixed Case" (a text, b timestamptz, n numeric, PRIMARY KEY (a, b));
  INSERT INTO "Mixed Case" SELECT 'k' || n % 40, to_timestamp(n), n / 3.0 FROM generate_series(1, 3000) n;
  CREATE TABLE keyless (v int, t text);
  INSERT INTO keyless SELECT n % 10, E'tab\\t' || n FROM generate_series(1, 500) n;
  CREATE TABLE nothing (id int PRIMARY KEY);`;

/** Changes rows of `items` until told to stop; every state of a row has a greater `v` than the one before. */
async function write(url: string, stop: AbortSignal): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let count = 0;
  const key = () => 1 + Math.floor(Math.random() * ROWS * 1.1);
  try {
    for (; !stop.aborted; count++) {
      const verb = Math.random();
      if (verb < 0.5) await client.query("UPDATE items SET v = nextval('versions') WHERE id = $1", [key()]);
      else if (verb < 0.7) await client.query('DELETE FROM items WHERE id = $1', [key()]);
      else if (verb < 0.9) {
        const sql = "INSERT INTO items VALUES ($1, nextval('versions'), 'new') ON CONFLICT (id) DO NOTHING";
        await client.query(sql, [key()]);
      } else {
        const sql = `UPDATE items SET id = $2, v = nextval('versions')
          WHERE id = $1 AND NOT EXISTS (SELECT FROM items WHERE id = $2)`;
        await client.query(sql, [key(), key()]);
      }
    }
  } finally {
    await client.end();
  }
  return count;
}

for (const kills of [0, 4]) {
  const named = kills === 0 ? 'under load' : `under load and ${kills} times kill -9`;
  test(`an initial snapshot ${named}: the folded topics are the tables`, { timeout: 240_000 }, async (context) => {
    const name = uniqueName('snap');
    await using database = await createPostgresDatabase({ sql: SCHEMA });
    const source = { ...testSource(name, database), snapshot: { mode: 'initial', chunk_rows: 1000 } };
    await using daemon = await Daemon.create({ sources: [source] });
    const stop = new AbortController();
    const writers = [write(database.url, stop.signal), write(database.url, stop.signal)];
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
      await daemon.until('the snapshot is complete', async () => {
        const { snapshot, state } = await daemon.status(name);
        return snapshot?.state === 'completed' && state === 'streaming';
      });
      stop.abort();
      const writes = (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);
      await database.query("INSERT INTO items VALUES (-1, 0, 'end')");
      const topic = `${name}.public.items`;
      await daemon.until('the end is published', async () => (await daemon.status(name)).lag_seconds === 0);
      const all = await readEnvelopes(topic);
      assert.equal(all.at(-1)?.after?.id, -1);
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
      const rows = await database.query<{ id: number; v: string }>('SELECT id, v::text FROM items ORDER BY id');
      assert.deepEqual(
        [...folded].sort(([a], [b]) => a - b),
        rows.map(({ id, v }) => [id, v]),
      );
      const read = all.filter(({ op }) => op === 'r').length;
      context.diagnostic(`${writes} writes, ${read} rows read of ${rows.length}, ${repeated} states repeated`);
      assert.ok(read <= ROWS * 1.1 + kills * 2 * 1000 * 2, 'only what was under way is read again');
      const mixed = await readEnvelopes(`${name}.public.Mixed_Case`);
      assert.equal(new Set(mixed.map(({ after }) => `${after!.a} ${after!.b}`)).size, 3000);
      const keyless = await readEnvelopes(`${name}.public.keyless`);
      if (kills === 0) assert.equal(keyless.length, 500);
      assert.equal(new Set(keyless.map(({ after }) => after!.t)).size, 500);
      assert.equal(await daemon.stop(), 0);
    } finally {
      stop.abort();
      await Promise.allSettled(writers);
      await deleteKafkaTopics(name);
    }
  });
}
