import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { verifyWorkload } from '../support/oracle.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';
import { Workload } from '../support/workload.ts';

const STOPS = 3;

test('SIGTERM under load: exit 0, everything published is saved, and the next start repeats nothing', {
  timeout: 480_000,
}, async () => {
  const name = uniqueName('stop');
  await using database = await createPostgresDatabase({ prefix: 'stop' });
  await using workload = await Workload.create({ url: database.url, seed: 7, publication: name, pauseMs: 10 });
  await using daemon = await Daemon.create({
    sources: [testSource(name, database, { skipped_operations: [] })],
    config: { kafka: { topics: [{ match: '.*', partitions: 1 }], brokers: kafkaBrokers() } },
  });
  try {
    await daemon.start().streaming();
    workload.start();
    for (let stop = 1; stop <= STOPS; stop += 1) {
      const before = (await daemon.status(name)).changes_total;
      await daemon.until(
        `the load is being published for the ${stop}. time`,
        workload.whileWriting(async () => (await daemon.status(name)).changes_total > before + 100),
      );
      assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));
      const [slot] = await database.query<{ active: boolean }>(
        'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
        [name],
      );
      assert.equal(slot?.active, false, 'the slot is free for whoever comes next');
      await daemon.start().streaming();
    }
    await workload.stop();
    await workload.touchAll();
    await awaitConfirmed(database, name);
    assert.equal(await daemon.stop(), 0);
    const verdict = await verifyWorkload(database, name);
    assert.deepEqual(verdict.problems, []);
    assert.ok(verdict.records > 500, `${verdict.records} records`);
    assert.equal(verdict.duplicates, 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('SIGTERM in the middle of the start ends it too', { timeout: 240_000 }, async () => {
  const name = uniqueName('stop');
  await using database = await createPostgresDatabase({ prefix: 'stop', sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await using daemon = await Daemon.create({ sources: [testSource(name, database)] });
  daemon.start();
  await daemon.url();
  // In the middle of its start: nothing is to be flushed, and nothing may keep it.
  assert.equal(await daemon.stop(15_000), 0);
});
