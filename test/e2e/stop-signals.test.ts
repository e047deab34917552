import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { registryUrl } from '../support/services.ts';
import { awaitState, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';

/*
 * A stop in the phases that test/e2e/graceful-stop.test.ts does not meet: exit 0, the slot free, and what follows is found by
 * the next start.
 */

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, pad text)';
const ROWS = 20_000;
/** A stop that has nothing to wait for; the machine may be busy. */
const SOON_MS = 15_000;

it('SIGTERM while tables are read: the snapshot goes on where it was', async () => {
  await using tailed = await tailedDatabase(TABLE);
  await tailed.query("INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series(1, $1::int) n", [ROWS]);
  const snapshot = { mode: 'initial', chunk_rows: 200, parallelism: 1 };
  await using daemon = await Daemon.create({ sources: [tailed.source({ snapshot })] });
  const source = tailed.prefix;
  await daemon.start().until('rows are read', async () => {
    const status = await daemon.status(source);
    return status.state === 'snapshotting' && (status.snapshot?.tables[0]?.rows ?? 0) > 0;
  });
  await stopsAtOnce(daemon, tailed);
  const before = (await tailed.records('public.t', 1)).length;
  assert.ok(before < ROWS, 'it was stopped in the middle');
  await daemon.start().until('everything is read', async () => {
    const { snapshot: status } = await daemon.status(source);
    return status?.state === 'completed';
  });
  const ids = (await tailed.records('public.t', ROWS)).map(({ decodedKey }) => decodedKey.id);
  assert.equal(new Set(ids).size, ROWS);
  assert.equal(ids.length, ROWS, 'no row is read twice');
  assert.equal(await daemon.stop(), 0);
});

it('SIGTERM while the source waits to be tried again, and while it is paused', async () => {
  await using tailed = await tailedDatabase(TABLE);
  const postgres = new URL(tailed.database.url);
  await using proxy = await FaultProxy.inFrontOf(postgres.href);
  await using daemon = await Daemon.create({ sources: [tailed.source({ url: proxy.urlFor(postgres.href) })] });
  const source = tailed.prefix;
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  await tailed.records('public.t', 1);

  await proxy.become({ kind: 'refuse' });
  await awaitState(daemon, source, 'backing-off');
  await stopsAtOnce(daemon, tailed);
  await proxy.become({ kind: 'none' });

  await daemon.start().streaming();
  const paused = await fetch(`${await daemon.url()}/api/v1/sources/${source}/pause`, {
    method: 'POST',
    signal: AbortSignal.timeout(30_000),
  });
  assert.equal(paused.status, 200, await paused.text());
  await tailed.query('INSERT INTO t VALUES (2)');
  await stopsAtOnce(daemon, tailed);

  await daemon.start().streaming();
  await tailed.records('public.t', 2);
  await tailed.query('INSERT INTO t VALUES (3)');
  const ids = (await tailed.records('public.t', 3)).map(({ decodedKey }) => decodedKey.id);
  assert.deepEqual(ids, [1, 2, 3]);
  assert.equal(await daemon.stop(), 0);
});

it('a second signal ends a stop that waits, at once and with 130; nothing is lost by it', async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  await using proxy = await FaultProxy.inFrontOf(registryUrl());
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: proxy.urlFor(registryUrl()), request_timeout: '20s' } },
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  await tailed.records('public.t', 1);
  await proxy.become({ kind: 'hang' });
  // A transaction that has begun to be published is waited for.
  await tailed.query(
    'BEGIN; INSERT INTO t VALUES (2); ALTER TABLE t ADD COLUMN v int; INSERT INTO t VALUES (3); COMMIT',
  );
  await daemon.until('it waits for the registry', () => proxy.accepted > 0);
  daemon.signal('SIGTERM');
  await daemon.until('it stops', async () => (await daemon.status(tailed.prefix)).state === 'stopping');
  const before = performance.now();
  daemon.signal('SIGINT');
  assert.equal(await daemon.ended(), 130);
  assert.ok(performance.now() - before < 5_000, 'at once');
  await proxy.become({ kind: 'none' });
  await daemon.start().streaming();
  const ids = (await tailed.records('public.t', 3)).map(({ decodedKey }) => decodedKey.id);
  assert.deepEqual([...new Set(ids)], [1, 2, 3]);
  assert.equal(await daemon.stop(), 0);
});

async function stopsAtOnce(daemon: Daemon, tailed: TailedDatabase): Promise<void> {
  assert.equal(await daemon.stop(SOON_MS), 0, daemon.output.slice(-2_000));
  const [slot] = await tailed.query<{ active: boolean }>(
    'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
    [`tailrace_${tailed.prefix}`],
  );
  assert.equal(slot?.active, false, 'the slot is free');
}
