import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitState, tailedDatabase } from '../support/tailed-database.ts';

test('a slot that the server gave up while the source was paused is resync-required', {
  timeout: 480_000,
}, async () => {
  await using server = (await OwnPostgres.start({ max_slot_wal_keep_size: '1MB' })).becomeTheServerOfThisTest();
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  const slot = `tailrace_${tailed.prefix}`;
  await using daemon = await Daemon.create({ sources: [tailed.source()] });
  await daemon.start().streaming(90_000);
  await tailed.query('INSERT INTO t VALUES (1)');
  await awaitConfirmed(tailed.database, slot);
  const ask = async (operation: string) =>
    fetch(`${await daemon.url()}/api/v1/sources/${tailed.prefix}/${operation}`, { method: 'POST' });
  assert.ok((await ask('pause')).ok);
  await tailed.query('INSERT INTO t VALUES (2)');
  await awaitUntil(
    'the server gave the slot up',
    async () => {
      await server.run('SELECT pg_switch_wal()');
      await server.run('CHECKPOINT');
      const [row] = await server.run<{ wal_status: string }>(
        'SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1',
        [slot],
      );
      return row?.wal_status === 'lost';
    },
    { timeoutMs: 60_000 },
  );
  await ask('resume');
  const { last_error } = await awaitState(daemon, tailed.prefix, 'resync-required');
  assert.equal(last_error?.code, 'POSTGRES_SLOT_INVALIDATED');
  assert.match(last_error.remedy, /max_slot_wal_keep_size.*tailrace resync/);
  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  assert.equal(metrics.value('tailrace_source_state', { source: tailed.prefix, state: 'resync-required' }), 1);
  assert.equal((await tailed.records('public.t', 1)).length, 1);
  assert.equal(await daemon.stop(), 0);
});
