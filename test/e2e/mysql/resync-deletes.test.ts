import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { runCommand as tailrace } from '../../support/command-process.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { type AnyDatabase, everyDatabase } from '../../support/every-database.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { type ReadEnvelope, readEnvelopes } from '../../support/read-rows.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { verify } from '../../support/verify-command.ts';

const ROWS = 3_000;
const values = (from: number, to: number, row: (n: number) => string) =>
  Array.from({ length: to - from + 1 }, (_, i) => row(from + i)).join(', ');

const SCHEMA = [
  'CREATE TABLE items (id int PRIMARY KEY, v int NOT NULL, note varchar(20))',
  `INSERT INTO items VALUES ${values(1, ROWS, (n) => `(${n}, 0, 'n${n}')`)}`,
  'CREATE TABLE pairs (a varchar(20) NOT NULL, b bigint NOT NULL, secret varchar(20) NOT NULL, PRIMARY KEY (b, a))',
  `INSERT INTO pairs VALUES ${values(1, 20, (n) => `('k${n}', ${n}, 's${n}')`)}`,
  'CREATE TABLE parts (id int PRIMARY KEY, region varchar(2) NOT NULL)',
  "INSERT INTO parts VALUES (1, 'EU'), (2, 'US'), (3, 'EU')",
  'CREATE TABLE keyless (v int)',
  'INSERT INTO keyless VALUES (1), (2)',
];

async function readOnce(daemon: Daemon, name: string): Promise<void> {
  await daemon.until(
    'everything is read',
    async () => {
      const { state, snapshot } = await daemon.status(name);
      return state === 'streaming' && snapshot?.state === 'completed';
    },
    60_000,
  );
}

/** What the topic says, folded by key. */
function folded(envelopes: readonly ReadEnvelope[], key: string): unknown[] {
  const rows = new Map<unknown, unknown>();
  for (const { op, before, after } of envelopes) {
    if (op === 'd') rows.delete(before![key]);
    else rows.set(after![key], after);
  }
  return [...rows.keys()].sort((a, b) => Number(a) - Number(b));
}

async function loseTheLog(database: AnyDatabase, name: string): Promise<void> {
  if (database.schema !== 'public') return;
  await database.query(`SELECT pg_drop_replication_slot('${name}')`);
}

for (const { label, create } of await everyDatabase()) {
  test(`${label}: a resync deletes from the topics what is gone from the tables`, { timeout: 480_000 }, async () => {
    const name = uniqueName('sweep');
    await using database = await create(SCHEMA);
    const source = database.source(name, {
      snapshot: { mode: 'initial', where: [{ table: `${database.schema}\\.parts`, filter: "region = 'EU'" }] },
      columns: {
        hash: [{ match: `${database.schema}\\.pairs\\.(a|secret)`, algorithm: 'sha256', salt: 'x' }],
      },
    });
    await using daemon = await Daemon.create({ sources: [source] });
    const topic = (table: string) => `${name}.${database.schema}.${table}`;
    const url = async () => ['--url', await daemon.url()];
    try {
      await readOnce(daemon.start(), name);
      await database.query("INSERT INTO parts VALUES (4, 'US')");
      await daemon.until('it streams', async () => (await readEnvelopes(topic('parts'))).length === 3);
      assert.equal((await tailrace(['pause', name, ...(await url())])).code, 0);
      await loseTheLog(database, name);
      await database.query('DELETE FROM items WHERE id <= 1500');
      await database.query('UPDATE items SET id = 9000 WHERE id = 2000');
      await database.query('DELETE FROM pairs WHERE b = 7');
      await database.query('DELETE FROM parts WHERE id IN (1, 4)');
      await database.query('DELETE FROM keyless WHERE v = 1');
      assert.equal((await tailrace(['resync', name, '--confirm', name, ...(await url())])).code, 0);
      // Keys that come back meanwhile, as another row.
      for (let id = 1; id <= 20; id++) await database.query(`INSERT INTO items VALUES (${id * 50}, 1, 'back')`);
      await daemon.until(
        'the resync is done',
        () => {
          return [...daemon.output.matchAll(/rows that are gone were deleted/g)].length === 2;
        },
        60_000,
      );
      await readOnce(daemon, name);
      for (const table of ['items', 'pairs']) {
        const verdict = await verify(daemon.configPath, name, '--table', table);
        assert.equal(verdict.code, 0, `${table}: ${verdict.stderr}${JSON.stringify(verdict.report)}`);
      }
      const gone = (await readEnvelopes(topic('items'))).filter(({ op }) => op === 'd');
      assert.equal(new Set(gone.map(({ before }) => before?.id)).size, gone.length, 'each is told once');
      assert.ok(gone.length >= 1_481 && gone.length <= 1_501, `${gone.length} deletes`);
      for (const {
        before,
        after,
        source: { snapshot, table },
      } of gone) {
        assert.deepEqual([before?.note, after, snapshot, table], [null, null, 'incremental', 'items']);
      }
      const [pair] = (await readEnvelopes(topic('pairs'))).filter(({ op }) => op === 'd');
      assert.equal(String(pair?.before?.b), '7');
      assert.equal(pair?.before?.a, '', 'what is hashed in values does not come out of the key');
      assert.deepEqual(
        folded(await readEnvelopes(topic('parts')), 'id'),
        [1, 3, 4],
        'a filter says nothing of the rest',
      );
      assert.ok((await readEnvelopes(topic('keyless'))).every(({ op }) => op === 'r'));
      const decoder = new AvroDecoder();
      const tombs = (await readTopics([topic('pairs')])).filter(({ value }) => value === null);
      assert.equal(tombs.length, 1);
      const key = (await decoder.decode(tombs[0]!.key)) as { a: string; b: unknown };
      assert.deepEqual([key.a, String(key.b)], ['k7', '7']);
      assert.equal(await daemon.stop(), 0);
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}

test('a delete pass outlives kill -9, and is left out where nobody wants it', { timeout: 600_000 }, async () => {
  const name = uniqueName('sweep');
  const [postgres] = await everyDatabase();
  await using database = await postgres!.create(SCHEMA);
  await using daemon = await Daemon.create({ sources: [database.source(name, { snapshot: { mode: 'initial' } })] });
  const topic = `${name}.public.items`;
  const deletes = async () => (await readEnvelopes(topic)).filter(({ op }) => op === 'd').length;
  const resync = async (...more: string[]) => {
    const url = ['--url', await daemon.url()];
    assert.equal((await tailrace(['resync', name, '--confirm', name, ...more, ...url])).code, 0);
  };
  try {
    await readOnce(daemon.start(), name);
    assert.equal((await tailrace(['pause', name, '--url', await daemon.url()])).code, 0);
    await database.query('DELETE FROM items WHERE id > 1');
    await resync('--keep-deleted');
    await awaitTopicEnds(new Map([[topic, ROWS + 1]]), 60_000);
    await readOnce(daemon, name);
    assert.equal(await deletes(), 0);
    assert.equal((await verify(daemon.configPath, name, '--table', 'items')).code, 3);

    await resync();
    await awaitTopicEnds(new Map([[topic, ROWS + 4]]), 60_000);
    await daemon.kill();
    daemon.start();
    // What the first life said of its end counts for nothing: it may have died before the broker had the records.
    await daemon.until('all are deleted', async () => (await deletes()) >= ROWS - 1, 60_000);
    const verdict = await verify(daemon.configPath, name, '--table', 'items');
    assert.equal(verdict.code, 0, `${verdict.stderr}${JSON.stringify(verdict.report)}`);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});
