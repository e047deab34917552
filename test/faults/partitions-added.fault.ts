import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon } from '../support/daemon-process.ts';
import { addPartitions } from '../support/kafka-topics.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

const KEYS = 40;
const AFTER = 20;
/** Metadata are asked for once a minute where nothing else asks. */
const NOTICED_MS = 120_000;
const PAUSE_MS = 500;

test('partitions are added under load: they are used, and each key moves once, with its order', {
  timeout: 600_000,
}, async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY, v int)');
  const slot = `tailrace_${tailed.prefix}`;
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t SELECT n, 0 FROM generate_series(1, $1::int) n', [KEYS]);
  await awaitConfirmed(tailed.database, slot);
  await addPartitions(tailed.topic('public.t'), 4);
  let updates = 0;
  const update = async () => {
    updates += 1;
    await tailed.query('UPDATE t SET v = v + 1');
  };
  const noticed = /the topic got more partitions/;
  await daemon.until(
    'it is noticed',
    async () => {
      await update();
      await pause(PAUSE_MS);
      return noticed.test(daemon.output);
    },
    NOTICED_MS,
  );
  for (let more = 0; more < AFTER; more += 1) await update();
  await awaitConfirmed(tailed.database, slot);
  assert.equal((await daemon.status(tailed.prefix)).last_error, null);
  assert.equal(await daemon.stop(), 0);
  const records = await tailed.records('public.t', KEYS * (updates + 1));
  assert.equal(new Set(records.map(({ partition }) => partition)).size, 4, 'all are used');
  for (const [id, ofKey] of Map.groupBy(records, ({ decodedKey }) => decodedKey.id as number)) {
    // The old partition first, and at most one new one: a consumer of both has read the old one to its end.
    const partitions = Map.groupBy(ofKey, ({ partition }) => partition);
    assert.ok(partitions.size <= 2, `key ${id} is in ${[...partitions.keys()]}`);
    const [old = [], moved = []] = [...partitions].sort(([a], [b]) => a - b).map(([, each]) => each);
    assert.deepEqual(
      [...old, ...moved].map(({ decodedValue }) => decodedValue.after.v),
      Array.from({ length: updates + 1 }, (_, v) => v),
      `order of key ${id}`,
    );
  }
});
