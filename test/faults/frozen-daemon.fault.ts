import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon } from '../support/daemon-process.ts';
import { KafkaProxy } from '../support/kafka-proxy.ts';
import { startOwnKafka } from '../support/own-kafka.ts';
import { kafkaBrokers } from '../support/services.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';

/** Longer than a process may stand still without being asked for its ownership. */
const FROZEN_MS = 6_500;
const ROWS = 10_000;
const FULL_BYTES = 8_000_000;

test('a frozen daemon with full buffers is overtaken, and sends nothing of them when it wakes', {
  timeout: 600_000,
}, async () => {
  await using kafka = await startOwnKafka({ brokers: 1, proxied: true });
  await using proxy = await KafkaProxy.at(kafka.cluster.brokers[0]!.proxied!);
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY, v text)');
  const slot = `tailrace_${tailed.prefix}`;
  const sources = [tailed.source()];
  const checkpoint = { store: 'kafka', topic: `${tailed.prefix}.checkpoints`, interval: '200ms' };
  await using first = await Daemon.create({ sources, config: { checkpoint, kafka: { brokers: [proxy.address] } } });
  await using second = await Daemon.create({ sources, config: { checkpoint, kafka: { brokers: kafkaBrokers() } } });
  await first.start().streaming(120_000);
  await tailed.query("INSERT INTO t VALUES (0, 'first')");
  await awaitConfirmed(tailed.database, slot);
  proxy.hold();
  await tailed.query('INSERT INTO t SELECT n, repeat(md5(n::text), 40) FROM generate_series(1, $1::int) n', [ROWS]);
  await first.until('buffers are full', async () => (await first.status(tailed.prefix)).in_flight_bytes > FULL_BYTES);
  first.signal('SIGSTOP');
  await terminate(tailed, slot);
  await second.start().streaming(120_000);
  await tailed.query("UPDATE t SET v = 'newer'");
  await awaitConfirmed(tailed.database, slot, 60_000);
  await pause(FROZEN_MS);
  // What lay in sockets is gone with them: whatever came now would have been sent by the one that woke.
  proxy.cut();
  first.signal('SIGCONT');
  await first.until('it waits for the slot', () => /waiting until it stops/.test(first.output), 60_000);
  await tailed.query("INSERT INTO t VALUES (-1, 'last')");
  await awaitConfirmed(tailed.database, slot, 60_000);
  const records = await tailed.records('public.t', 2 * (ROWS + 1) + 1);
  const told = records.map(({ decodedKey, decodedValue }) => `${decodedValue.op} ${decodedKey.id}`);
  assert.equal(told.length, 2 * (ROWS + 1) + 1, 'each change is there once');
  assert.ok(told.slice(0, ROWS + 1).every((each) => each.startsWith('c ')));
  assert.ok(
    told.slice(ROWS + 1, -1).every((each) => each.startsWith('u ')),
    'no key steps back',
  );
  assert.equal(told.at(-1), 'c -1');
  assert.equal((await second.status(tailed.prefix)).state, 'streaming', 'the owner is not disturbed');
  assert.equal(await second.stop(), 0);
  await first.streaming(60_000);
  assert.equal(await first.stop(), 0);
});

test('a frozen daemon keeps the lock of its checkpoint file: its successor says so, and waits until it wakes', {
  timeout: 600_000,
}, async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  const slot = `tailrace_${tailed.prefix}`;
  const sources = [tailed.source()];
  await using first = await Daemon.create({ sources });
  const checkpoint = { store: 'file', path: join(first.directory, 'state'), interval: '200ms' };
  await using second = await Daemon.create({ sources, config: { checkpoint } });
  await first.start().streaming(120_000);
  await tailed.query('INSERT INTO t VALUES (1)');
  await awaitConfirmed(tailed.database, slot);
  first.signal('SIGSTOP');
  await terminate(tailed, slot);
  await tailed.query('INSERT INTO t VALUES (2)');
  second.start();
  const { last_error } = await second.until('it says what is in its way', async () => {
    const status = await second.status(tailed.prefix);
    return status.last_error === null ? null : status;
  });
  assert.equal(last_error?.code, 'STATE_LOCKED');
  assert.ok(last_error?.message.includes(`pid ${first.pid}`), last_error?.message);
  first.signal('SIGCONT');
  await first.kill();
  await second.streaming(60_000);
  const ids = (await tailed.records('public.t', 2)).map(({ decodedKey }) => decodedKey.id);
  assert.deepEqual(ids, [1, 2]);
  assert.equal(await second.stop(), 0);
});

/** What the server does by itself after `wal_sender_timeout`. */
async function terminate(tailed: TailedDatabase, slot: string): Promise<void> {
  await tailed.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [slot]);
}
