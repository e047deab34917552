import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { RunSummary } from '../../../src/cli/application.ts';
import { runCommand as tailrace } from '../../support/command-process.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { everyDatabase } from '../../support/every-database.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { readEnvelopes } from '../../support/read-rows.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { verify } from '../../support/verify-command.ts';

const SCHEMA = [
  'CREATE TABLE items (id int PRIMARY KEY, v int NOT NULL)',
  'INSERT INTO items VALUES (1, 0), (2, 0), (3, 0)',
  'CREATE TABLE keyless (v int)',
  'INSERT INTO keyless VALUES (1), (1)',
];

for (const { label, create } of await everyDatabase()) {
  test(`${label}: initial_only reads and is done; initial afterwards goes on from there`, {
    timeout: 360_000,
  }, async () => {
    const name = uniqueName('only');
    await using database = await create(SCHEMA);
    const source = database.source(name, { snapshot: { mode: 'initial_only' } });
    await using daemon = await Daemon.create({ sources: [source] });
    const opsOf = async (table: string) =>
      (await readEnvelopes(`${name}.${database.schema}.${table}`)).map(({ op }) => op);
    const completed = async () => (await daemon.status(name)).state === 'completed';
    try {
      const batch = await tailrace(['run', '--until-caught-up', '--json', '-c', daemon.configPath]);
      assert.equal(batch.code, 0, batch.err);
      const { sources } = JSON.parse(batch.out) as { sources: readonly RunSummary[] };
      assert.equal(sources[0]?.state, 'caught-up');
      assert.deepEqual(await opsOf('items'), ['r', 'r', 'r']);
      await database.query('UPDATE items SET v = 1 WHERE id = 1');
      await database.query('DELETE FROM items WHERE id = 2');
      await database.query('INSERT INTO keyless VALUES (2)');

      await daemon.start().until('it is completed', completed);
      assert.equal((await daemon.get('/readyz')).status, 200);
      const status = await tailrace(['status', '--url', await daemon.url()]);
      assert.match(status.out, /completed[\s\S]*set snapshot\.mode: initial and restart/);
      assert.equal(await daemon.stop(), 0);
      assert.deepEqual(await opsOf('items'), ['r', 'r', 'r'], 'it neither reads again nor streams');

      const text = await readFile(daemon.configPath, 'utf8');
      await writeFile(daemon.configPath, text.replace('initial_only', 'initial'));
      await daemon.start().streaming();
      await daemon.until('it streams', async () => (await opsOf('keyless')).length === 3);
      await daemon.until('it has streamed', async () => (await opsOf('items')).length === 5);
      assert.deepEqual(await opsOf('items'), ['r', 'r', 'r', 'u', 'd']);
      const verdict = await verify(daemon.configPath, name);
      assert.equal(verdict.code, 0, `${verdict.stderr}${JSON.stringify(verdict.report)}`);
      assert.equal(await daemon.stop(), 0);
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}

test('initial after initial_only is resync-required where the log is gone', { timeout: 240_000 }, async () => {
  const name = uniqueName('only');
  const [postgres] = await everyDatabase();
  await using database = await postgres!.create(SCHEMA);
  await using daemon = await Daemon.create({
    sources: [database.source(name, { snapshot: { mode: 'initial_only' } })],
  });
  const state = async () => (await daemon.status(name)).state;
  try {
    await daemon.start().until('it is completed', async () => (await state()) === 'completed');
    assert.equal(await daemon.stop(), 0);
    await database.query(`SELECT pg_drop_replication_slot('${name}')`);
    await daemon.start().until('it is completed still', async () => (await state()) === 'completed');
    assert.equal(await daemon.stop(), 0);
    const text = await readFile(daemon.configPath, 'utf8');
    await writeFile(daemon.configPath, text.replace('initial_only', 'initial'));
    await daemon.start().until('it says so', async () => (await state()) === 'resync-required');
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});
