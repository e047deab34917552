import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitState, tailedDatabase } from '../support/tailed-database.ts';
import { uniqueName } from '../support/unique-name.ts';

/*
 * What can happen to the slot, the publication and the role of a source while it streams: what was lost is told and stays
 * told, what was not lost goes on once the reason is mended.
 */

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY FULL';

test('a slot or a publication that goes away under the stream is resync-required, and the others stream on', {
  timeout: 360_000,
}, async () => {
  await using tailed = await tailedDatabase(TABLE);
  const { prefix } = tailed;
  const names = {
    dropped: `${prefix}_dropped`,
    recreated: `${prefix}_recreated`,
    unpublished: `${prefix}_unpublished`,
    fine: `${prefix}_fine`,
  };
  await using daemon = await Daemon.create({
    sources: Object.values(names).map((name) => tailed.source({ slot: { name, publication: name } }, name)),
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  for (const name of Object.values(names)) await awaitConfirmed(tailed.database, name);

  // A slot in use cannot be dropped: who drops it ends its walsender, and the daemon is faster or slower than that.
  await seize(tailed.database.url, names.dropped, async (client) => {
    await client.query('SELECT pg_drop_replication_slot($1)', [names.dropped]);
  });
  await seize(tailed.database.url, names.recreated, async (client) => {
    await client.query('SELECT pg_drop_replication_slot($1)', [names.recreated]);
    await client.query('INSERT INTO t VALUES (2)');
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [names.recreated]);
  });
  await tailed.query(`DROP PUBLICATION ${names.unpublished}`);
  await tailed.query('INSERT INTO t VALUES (3)');

  const expected = [
    [names.dropped, 'POSTGRES_SLOT_MISSING', [1]],
    [names.recreated, 'POSTGRES_SLOT_AHEAD', [1]],
    [names.unpublished, 'POSTGRES_PUBLICATION_MISSING', [1, 2]],
  ] as const;
  for (const [name, code] of expected) {
    const { last_error } = await awaitState(daemon, name, 'resync-required');
    assert.equal(last_error?.code, code, last_error?.message);
    assert.match(last_error.remedy, /tailrace resync/);
  }
  assert.equal((await tailed.records('public.t', 3, names.fine)).length, 3);
  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  for (const [name] of expected) {
    assert.equal(metrics.value('tailrace_source_state', { source: name, state: 'resync-required' }), 1);
    assert.equal(metrics.value('tailrace_errors_total', { source: name, class: 'resync-required' }), 1);
  }
  assert.equal((await daemon.get('/readyz')).status, 503);
  assert.equal((await daemon.status(names.fine)).state, 'streaming');

  // The verdict is made anew and stays the same; nothing of what came later was told.
  for (const [name] of expected) await resume(daemon, name);
  for (const [name] of expected) await awaitState(daemon, name, 'resync-required');
  for (const [name, , told] of expected) {
    const ids = (await tailed.records('public.t', told.length, name)).map(({ decodedValue }) => decodedValue.after.id);
    assert.deepEqual([...new Set(ids)], told, name);
  }
  assert.equal(await daemon.stop(), 0);
});

test('a role that loses REPLICATION fails with the remedy, and goes on once it has it again', {
  timeout: 300_000,
}, async () => {
  await using tailed = await tailedDatabase(TABLE);
  const role = uniqueName('role');
  await tailed.query(`CREATE ROLE ${role} LOGIN REPLICATION`);
  const name = `tailrace_${tailed.prefix}`;
  await tailed.query(`CREATE PUBLICATION ${name} FOR TABLE t`);
  const url = new URL(tailed.database.url);
  url.username = role;
  try {
    await using daemon = await Daemon.create({
      sources: [tailed.source({ url: url.href, slot: { name, publication: name, autocreate: 'disabled' } })],
    });
    await daemon.start().streaming();
    await tailed.query('INSERT INTO t VALUES (1)');
    await awaitConfirmed(tailed.database, name);
    await tailed.query(`ALTER ROLE ${role} NOREPLICATION`);
    await tailed.query('INSERT INTO t VALUES (2)');
    await tailed.records('public.t', 2);
    // What streams goes on; the next connection is refused.
    await tailed.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
      name,
    ]);
    const { last_error } = await awaitState(daemon, tailed.prefix, 'failed');
    assert.equal(last_error?.code, 'POSTGRES_PRIVILEGE_MISSING');
    assert.match(last_error.remedy, /tailrace check/);
    const metrics = parseExposition(await (await daemon.get('/metrics')).text());
    assert.equal(metrics.value('tailrace_source_state', { source: tailed.prefix, state: 'failed' }), 1);
    await tailed.query('INSERT INTO t VALUES (3)');
    await tailed.query(`ALTER ROLE ${role} REPLICATION`);
    await resume(daemon, tailed.prefix);
    await daemon.streaming();
    const ids = (await tailed.records('public.t', 3)).map(({ decodedKey }) => decodedKey.id);
    assert.deepEqual([...new Set(ids)], [1, 2, 3]);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await tailed.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

/** Ends the walsender of a slot again and again until `work` finds it free. */
async function seize(url: string, slot: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (;;) {
      await client.query(
        'SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1',
        [slot],
      );
      try {
        await work(client);
        return;
      } catch (error) {
        // 55006: the daemon streams from it again.
        if (!(error instanceof pg.DatabaseError) || error.code !== '55006') throw error;
      }
    }
  } finally {
    await client.end();
  }
}

async function resume(daemon: Daemon, source: string): Promise<void> {
  const answer = await fetch(`${await daemon.url()}/api/v1/sources/${source}/resume`, { method: 'POST' });
  assert.ok(answer.ok, await answer.text());
}
