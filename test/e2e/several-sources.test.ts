import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

test('sources that cannot run say why and leave the others alone', { timeout: 360_000 }, async () => {
  const names = {
    good: uniqueName('good'),
    role: uniqueName('role'),
    database: uniqueName('gone'),
    port: uniqueName('port'),
  };
  await using database = await createPostgresDatabase({
    prefix: 'several',
    sql: 'CREATE TABLE t (id int PRIMARY KEY)',
  });
  const urlWith = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return { url: url.href };
  };
  const noRole = urlWith((url) => {
    url.username = 'tailrace_nobody';
    url.password = 'wrong-secret';
  });
  const noDatabase = urlWith((url) => {
    url.pathname = '/tailrace_no_such_database';
  });
  // Port 9 is the discard service, which nobody runs.
  const noServer = urlWith((url) => {
    url.port = '9';
  });
  await using daemon = await Daemon.create({
    sources: [
      testSource(names.role, noRole),
      testSource(names.good, database),
      testSource(names.database, noDatabase),
      testSource(names.port, noServer),
    ],
  });
  try {
    daemon.start();
    const reached = (name: string, state: string) =>
      awaitUntil(`${name} is ${state}`, async () => (await daemon.status(name)).state === state, { timeoutMs: 90_000 });
    await reached(names.good, 'streaming');
    await reached(names.role, 'failed');
    await reached(names.database, 'failed');
    await reached(names.port, 'backing-off');
    for (const name of [names.role, names.database, names.port]) {
      const { last_error } = await daemon.status(name);
      assert.ok(last_error, `${name} says why`);
      assert.ok(last_error.remedy.length > 20, `${name} says what to do: ${last_error.remedy}`);
    }
    assert.equal((await daemon.get('/readyz')).status, 503);
    assert.equal((await daemon.get('/livez')).status, 200);

    await database.query('INSERT INTO t SELECT generate_series(1, 500)');
    await awaitConfirmed(database, names.good);
    assert.equal((await readEnvelopes(`${names.good}.public.t`)).length, 500);
    assert.equal((await daemon.status(names.good)).state, 'streaming');
    assert.ok(!daemon.output.includes('wrong-secret'), 'no secret in the log');
    await daemon.stop();
  } finally {
    await deleteKafkaTopics(names.good);
  }
});
