import { test } from 'node:test';
import pg from 'pg';
import { Daemon } from '../support/daemon-process.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { CHUNK_ROWS, snapshotUnderLoad } from '../support/snapshot-under-load.ts';
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

/** Another writer may have taken the key meanwhile (unique_violation): then nothing was written. */
function unlessTaken(error: unknown): void {
  if ((error as pg.DatabaseError).code !== '23505') throw error;
}

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
        await client.query(sql, [key(), key()]).catch(unlessTaken);
      }
    }
  } finally {
    await client.end();
  }
  return count;
}

for (const kills of [0, 4]) {
  const named = kills === 0 ? 'under load' : `under load and ${kills} times kill -9`;
  test(`an initial snapshot ${named}: the folded topics are the tables`, { timeout: 600_000 }, async (context) => {
    const name = uniqueName('snap');
    await using database = await createPostgresDatabase({ sql: SCHEMA });
    const source = { ...testSource(name, database), snapshot: { mode: 'initial', chunk_rows: CHUNK_ROWS } };
    await using daemon = await Daemon.create({ sources: [source] });
    const stop = new AbortController();
    const topic = (table: string) => `${name}.public.${table}`;
    await snapshotUnderLoad({
      name,
      daemon,
      rows: ROWS,
      kills,
      topics: { items: topic('items'), mixed: topic('Mixed_Case'), keyless: topic('keyless') },
      stop,
      writers: [write(database.url, stop.signal), write(database.url, stop.signal)],
      query: (sql) => database.query(sql),
      say: (text) => context.diagnostic(text),
    });
  });
}
