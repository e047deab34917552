import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteTopicsNamed } from '../support/kafka-topics.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';
/** Longer than a process may stand still without being asked for its ownership. */
const FROZEN_MS = 6_500;

const standStill = () => new Promise((resolve) => setTimeout(resolve, FROZEN_MS));

it('a daemon that stood still proves that the source is still its own, then goes on', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  await tailed.records('public.t', 1);
  daemon.signal('SIGSTOP');
  await tailed.query('INSERT INTO t VALUES (2)');
  await standStill();
  daemon.signal('SIGCONT');
  await tailed.query('INSERT INTO t VALUES (3)');
  const records = await tailed.records('public.t', 3);
  assert.deepEqual(
    records.map(({ decodedKey }) => decodedKey.id),
    [1, 2, 3],
  );
  assert.match(daemon.output, /this process stood still/);
  assert.match(await (await daemon.get('/metrics')).text(), /tailrace_restarts_total\{[^}]*\} 0\n/);
  assert.equal(await daemon.stop(), 0);
});

it('a daemon that was overtaken while it stood still sends nothing more and waits its turn', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const topic = `${tailed.prefix}.checkpoints`;
  const options = { sources: [tailed.source()], config: { checkpoint: { store: 'kafka', topic, interval: '200ms' } } };
  await using first = await Daemon.create(options);
  await using second = await Daemon.create(options);
  try {
    await first.start().streaming();
    await tailed.query('INSERT INTO t VALUES (1)');
    await tailed.records('public.t', 1);
    // Checkpointed, or the successor rightly repeats it.
    await awaitConfirmed(tailed.database, `tailrace_${tailed.prefix}`);
    first.signal('SIGSTOP');
    // What the server does by itself after wal_sender_timeout.
    await tailed.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
      `tailrace_${tailed.prefix}`,
    ]);
    await second.start().streaming();
    await tailed.query('INSERT INTO t VALUES (2)');
    await tailed.records('public.t', 2);
    await standStill();
    first.signal('SIGCONT');
    await awaitUntil('the first one waits for the slot', () => /waiting until it stops/.test(first.output), {
      timeoutMs: 20_000,
    });
    await tailed.query('INSERT INTO t VALUES (3)');
    const records = await tailed.records('public.t', 3);
    assert.deepEqual(
      records.map(({ decodedKey }) => decodedKey.id),
      [1, 2, 3],
    );
    assert.equal(await second.stop(), 0);
    await first.streaming();
    await tailed.query('INSERT INTO t VALUES (4)');
    assert.equal((await tailed.records('public.t', 4)).length, 4);
    assert.equal(await first.stop(), 0);
  } finally {
    await deleteTopicsNamed([topic]);
  }
});
