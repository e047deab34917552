import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { type Exposition, parseExposition } from '../support/exposition.ts';
import { awaitState, caughtUp, tailedDatabase } from '../support/tailed-database.ts';

/** The names that dashboards and alerts rely on, with their labels. */
const PROMISED: Readonly<Record<string, string>> = {
  tailrace_source_state: 'gauge',
  tailrace_changes_total: 'counter',
  tailrace_published_bytes_total: 'counter',
  tailrace_lag_seconds: 'gauge',
  tailrace_delivery_seconds: 'histogram',
  tailrace_checkpoint_age_seconds: 'gauge',
  tailrace_in_flight_bytes: 'gauge',
  tailrace_snapshot_rows_total: 'counter',
  tailrace_snapshot_running: 'gauge',
  tailrace_postgres_retained_wal_bytes: 'gauge',
  tailrace_dead_letters_total: 'counter',
  tailrace_errors_total: 'counter',
  tailrace_restarts_total: 'counter',
  tailrace_registry_requests_total: 'counter',
  tailrace_kafka_request_seconds: 'histogram',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  nodejs_eventloop_lag_seconds: 'gauge',
};

it('metrics, health and status of a running daemon say what was published', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE a (id int PRIMARY KEY, v text);
    CREATE TABLE b (id int PRIMARY KEY)`);
  const source = tailed.prefix;
  await using daemon = await Daemon.create({ sources: [tailed.source({ skipped_operations: [] })] });
  await daemon.start().streaming();
  for (const path of ['/livez', '/readyz']) assert.equal((await daemon.get(path)).status, 200, path);
  await awaitUntil(
    'an idle source has no lag',
    async () => (await scrape(daemon)).value('tailrace_lag_seconds', { source }) === 0,
  );

  await tailed.query("INSERT INTO a SELECT n, 'v' FROM generate_series(1, 120) n");
  await tailed.query("UPDATE a SET v = 'w' WHERE id <= 30");
  await tailed.query('UPDATE a SET id = 1000 WHERE id = 1');
  await tailed.query('DELETE FROM a WHERE id > 110 AND id < 1000');
  await tailed.query('INSERT INTO b VALUES (1); TRUNCATE b');
  await tailed.query("SELECT pg_logical_emit_message(true, 'p', 'c')");
  await caughtUp(daemon, tailed, source);

  const changes = { a: { c: 120, u: 31, d: 10 }, b: { c: 1, t: 1 } };
  const metrics = await awaitUntil('the status caught up with the changes', async () => {
    const { changes_total, lag_seconds } = await daemon.status(source);
    return changes_total === 164 && lag_seconds === 0 ? scrape(daemon) : null;
  });
  for (const [table, ops] of Object.entries(changes)) {
    for (const [op, count] of Object.entries(ops)) {
      const labels = { source, table: `public.${table}`, op };
      assert.equal(metrics.value('tailrace_changes_total', labels), count, `${table} ${op}`);
    }
  }
  assert.equal(metrics.value('tailrace_changes_total', { source, table: 'message', op: 'm' }), 1);
  for (const [name, type] of Object.entries(PROMISED)) assert.equal(metrics.types.get(name), type, name);
  assert.equal(metrics.value('tailrace_source_state', { source, state: 'streaming' }), 1);
  assert.equal(metrics.value('tailrace_source_state', { source, state: 'failed' }), 0);
  assert.equal(metrics.value('tailrace_delivery_seconds_count', { source }), 164, 'every change was timed');
  assert.equal(metrics.value('tailrace_in_flight_bytes', { source }), 0);
  assert.equal(metrics.value('tailrace_lag_seconds', { source }), 0);
  assert.equal(metrics.value('tailrace_restarts_total', { source }), 0);
  assert.equal(metrics.value('tailrace_errors_total', { source, class: 'transient' }), 0);
  assert.ok((metrics.value('tailrace_published_bytes_total', { source }) ?? 0) > 10_000);
  assert.ok((metrics.value('tailrace_registry_requests_total', { outcome: 'ok' }) ?? 0) >= 4);
  assert.ok((metrics.value('tailrace_kafka_request_seconds_count', {}) ?? 0) >= 3);
  assert.ok((metrics.value('tailrace_checkpoint_age_seconds', { source }) ?? 99) < 5);
  await awaitUntil('the retained WAL was measured', async () => {
    return (await scrape(daemon)).value('tailrace_postgres_retained_wal_bytes', { source }) !== undefined;
  });

  const status = await daemon.status(source);
  assert.equal(status.type, 'postgres');
  assert.equal(status.last_error, null);
  assert.ok(Date.parse(status.since) <= Date.now());
  const all = await (await daemon.get('/api/v1/sources')).json();
  assert.deepEqual(
    (all as { name: string }[]).map(({ name }) => name),
    [source],
  );
  const missing = await daemon.get('/api/v1/sources/none');
  assert.equal(missing.status, 404);
  assert.match(missing.headers.get('content-type') ?? '', /^application\/problem\+json/);

  // Its connection is cut: an error, a restart, and the same counts afterwards.
  await tailed.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    `tailrace_${source}`,
  ]);
  await awaitUntil('the restart was counted', async () => {
    return (await scrape(daemon)).value('tailrace_restarts_total', { source }) === 1;
  });
  await awaitState(daemon, source, 'streaming');
  const after = await scrape(daemon);
  assert.equal(after.value('tailrace_errors_total', { source, class: 'transient' }), 1);
  assert.equal((await daemon.get('/livez')).status, 200);
  assert.match((await daemon.status(source)).last_error?.code ?? '', /^POSTGRES_/);
  await tailed.query("INSERT INTO a VALUES (2000, 'again')");
  await caughtUp(daemon, tailed, source);
  assert.equal(
    (await scrape(daemon)).value('tailrace_changes_total', { source, table: 'public.a', op: 'c' }),
    121,
    'what was checkpointed is not repeated',
  );
  assert.equal(await daemon.stop(), 0);
});

async function scrape(daemon: Daemon): Promise<Exposition> {
  const response = await daemon.get('/metrics');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return parseExposition(await response.text());
}
