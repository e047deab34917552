import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand as tailrace } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics, deleteTopicsNamed } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitState } from '../support/tailed-database.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';

async function idsIn(topic: string): Promise<number[]> {
  return (await readEnvelopes(topic)).map(({ after }) => Number(after?.id));
}

for (const store of ['file', 'kafka'] as const) {
  test(`the checkpoint of a Postgres source is exported, imported and set, never while it runs (store: ${store})`, {
    timeout: 480_000,
  }, async () => {
    const name = uniqueName('checkpoint');
    const checkpoints = uniqueName('checkpoints');
    await using database = await createPostgresDatabase({ prefix: 'checkpoint', sql: TABLE });
    const config = store === 'file' ? {} : { checkpoint: { store, topic: checkpoints, interval: '200ms' } };
    await using daemon = await Daemon.create({ sources: [testSource(name, database)], config });
    const file = join(daemon.directory, 'exported.json');
    const checkpoint = (command: string, ...args: string[]) =>
      tailrace(['checkpoint', command, name, ...args, '-c', daemon.configPath]);
    try {
      const nothing = await checkpoint('export');
      assert.deepEqual([nothing.code, nothing.out], [1, '']);
      await daemon.start().streaming();
      await database.query('INSERT INTO t SELECT generate_series(1, 50)');
      await awaitConfirmed(database, name);
      for (const args of [['set', '0/1'], ['export'], ['export', file], ['import', daemon.configPath]]) {
        const [command = '', ...rest] = args;
        const { code, out, err } = await checkpoint(command, ...rest);
        assert.deepEqual([code, out], [command === 'import' ? 2 : 1, ''], `${args.join(' ')}: ${err}`);
        const isRunning = new RegExp(`source ${name} is running\nPause it with tailrace pause ${name}, or stop`);
        assert.match(err, command === 'import' ? /is not a JSON object|is damaged/ : isRunning);
      }
      assert.equal((await daemon.status(name)).state, 'streaming', 'the owner is not disturbed');
      await database.query('INSERT INTO t VALUES (51)');
      await awaitTopicEnds(new Map([[`${name}.public.t`, 51]]), 90_000);

      // A paused source does not run, although its daemon does.
      const url = await daemon.url();
      assert.equal((await tailrace(['pause', name, '--url', url])).code, 0);
      const exported = await checkpoint('export', file);
      assert.deepEqual([exported.code, exported.out], [0, ''], exported.err);
      const document = await readFile(file, 'utf8');
      assert.equal((await checkpoint('export')).out, document, 'to standard output it is the same');
      assert.equal((await tailrace(['resume', name, '--url', url])).code, 0);
      await awaitState(daemon, name, 'streaming');
      const tooEarly = await checkpoint('import', file);
      assert.equal(tooEarly.code, 1);
      assert.match(tooEarly.err, /is running/);
      await database.query('INSERT INTO t VALUES (52)');
      await awaitConfirmed(database, name);
      assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));

      // An old checkpoint: the slot has let go of what follows it, and the next start says so instead of skipping it.
      assert.equal((await checkpoint('import', file)).code, 0);
      await daemon.start();
      await awaitState(daemon, name, 'resync-required');
      assert.equal((await daemon.status(name)).last_error?.code, 'POSTGRES_SLOT_AHEAD');
      assert.equal(await daemon.stop(), 0);

      // Damage of any kind is found before anything is written.
      const before = (await checkpoint('export')).out;
      for (const text of [
        document.replace('"position": "0/', '"position": "1/'),
        document.slice(0, -20),
        document.replaceAll(name, 'other'),
        '{}',
      ]) {
        await writeFile(file, text);
        const { code, err } = await checkpoint('import', file);
        assert.equal(code, 2, err);
        assert.match(err, /exported\.json is damaged: .*\nName a file that `tailrace checkpoint export`/);
      }
      assert.equal((await checkpoint('export')).out, before);

      const wrong = await checkpoint('set', 'binlog.000012:4567');
      assert.equal(wrong.code, 2);
      assert.match(
        wrong.err,
        /"binlog\.000012:4567" is not a position of a Postgres source\.\ntailrace checkpoint show/,
      );
      const gone = await checkpoint('set', '0/1');
      assert.equal(gone.code, 4, gone.err);
      assert.match(gone.err, /cannot go on from 0\/1: [\s\S]*Nothing was changed/);
      assert.equal((await checkpoint('export')).out, before);
      const [slot] = await database.query<{ at: string }>(
        'SELECT confirmed_flush_lsn::text AS at FROM pg_replication_slots WHERE slot_name = $1',
        [name],
      );
      const set = await checkpoint('set', slot!.at);
      assert.deepEqual([set.code, set.err], [0, `${name} goes on at ${slot!.at}.\n`]);
      await daemon.start().streaming();
      await database.query('INSERT INTO t VALUES (53)');
      await awaitConfirmed(database, name);
      assert.deepEqual(
        await idsIn(`${name}.public.t`),
        Array.from({ length: 53 }, (_, index) => index + 1),
      );
      assert.equal(await daemon.stop(), 0);
    } finally {
      await deleteKafkaTopics(name);
      if (store === 'kafka') await deleteTopicsNamed([checkpoints]);
    }
  });
}

test('teardown drops slot and publication, never of a source that runs', { timeout: 360_000 }, async () => {
  const name = uniqueName('teardown');
  await using database = await createPostgresDatabase({ prefix: 'teardown', sql: TABLE });
  await using daemon = await Daemon.create({ sources: [testSource(name, database)] });
  const teardown = () => tailrace(['teardown', name, '--confirm', name, '-c', daemon.configPath]);
  const left = async () => {
    const slots = await database.query('SELECT 1 FROM pg_replication_slots WHERE slot_name = $1', [name]);
    const publications = await database.query('SELECT 1 FROM pg_publication WHERE pubname LIKE $1', [`${name}%`]);
    return { slots: slots.length, publications: publications.length > 0 };
  };
  try {
    await daemon.start().streaming();
    assert.deepEqual(await left(), { slots: 1, publications: true });
    const running = await teardown();
    assert.equal(running.code, 1);
    assert.match(running.err, /is running\nPause it/);
    assert.deepEqual(await left(), { slots: 1, publications: true });
    assert.equal(await daemon.stop(), 0);
    assert.equal((await teardown()).code, 0);
    assert.deepEqual(await left(), { slots: 0, publications: false });
    assert.equal((await teardown()).code, 0, 'what is not there is dropped already');
    daemon.start();
    await awaitState(daemon, name, 'resync-required');
  } finally {
    await deleteKafkaTopics(name);
  }
});
