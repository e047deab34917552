import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SourceUnderTest } from '../integration/postgres/source-under-test.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { runOnPostgres } from '../support/run-on-postgres.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitState, tailedDatabase } from '../support/tailed-database.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

/*
 * Another cluster may have everything that a source looks for, under the same names: only its system identifier tells.
 */

describe('another cluster behind the address of a source', () => {
  let other: OwnPostgres;
  before(async () => {
    other = await OwnPostgres.start();
  });
  after(() => other[Symbol.asyncDispose]());

  /** The same database on the other cluster. @returns its URL. */
  async function twinOf({ name, url }: PostgresDatabase, slot: string, publications: readonly string[]) {
    await other.run(`CREATE DATABASE ${name}`);
    const twin = new URL(url);
    twin.host = new URL(other.url).host;
    await runOnPostgres(twin.href, TABLE);
    for (const publication of publications)
      await runOnPostgres(twin.href, `CREATE PUBLICATION ${publication} FOR TABLE t`);
    await runOnPostgres(twin.href, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
    return twin.href;
  }

  it('is resync-required, and the right one again goes on where it was', { timeout: 360_000 }, async () => {
    await using tailed = await tailedDatabase(TABLE);
    await using proxy = await FaultProxy.inFrontOf(tailed.database.url);
    const name = `tailrace_${tailed.prefix}`;
    await using daemon = await Daemon.create({
      sources: [tailed.source({ url: proxy.urlFor(tailed.database.url) })],
    });
    await daemon.start().streaming();
    await tailed.query("INSERT INTO t VALUES (1, 'told')");
    await tailed.records('public.t', 1);
    await awaitConfirmed(tailed.database, name);
    const twin = await twinOf(tailed.database, name, [name, `${name}_insert_only`]);
    await tailed.query("INSERT INTO t VALUES (2, 'meanwhile')");
    await tailed.records('public.t', 2);
    proxy.moveTo(twin);
    await proxy.become({ kind: 'none' });
    const { last_error } = await awaitState(daemon, tailed.prefix, 'resync-required');
    assert.equal(last_error?.code, 'POSTGRES_OTHER_SERVER');
    assert.match(last_error.remedy, /Connect to the old server/);
    const metrics = parseExposition(await (await daemon.get('/metrics')).text());
    assert.equal(metrics.value('tailrace_source_state', { source: tailed.prefix, state: 'resync-required' }), 1);
    await runOnPostgres(twin, "INSERT INTO t VALUES (99, 'of the other')");
    await tailed.query("INSERT INTO t VALUES (3, 'after')");
    proxy.moveTo(tailed.database.url);
    await fetch(`${await daemon.url()}/api/v1/sources/${tailed.prefix}/resume`, { method: 'POST' });
    await daemon.streaming();
    const ids = (await tailed.records('public.t', 3)).map(({ decodedKey }) => decodedKey.id);
    assert.deepEqual([...new Set(ids)], [1, 2, 3]);
    assert.equal(await daemon.stop(), 0);
  });

  it('is noticed where the address moves between two connections of one start', { timeout: 240_000 }, async () => {
    await using database = await createPostgresDatabase({ sql: TABLE });
    await using proxy = await FaultProxy.inFrontOf(database.url);
    const tested = new SourceUnderTest({ ...database, url: proxy.urlFor(database.url) });
    const { slot, publication } = tested;
    await using first = await tested.startFresh();
    await first[Symbol.asyncDispose]();
    const twin = await twinOf(database, slot, [publication, `${publication}_insert_only`]);
    await using session = await tested.open();
    proxy.moveTo(twin);
    await assert.rejects(session.claim(tested.signal), { errorClass: 'transient', code: 'POSTGRES_SERVER_MOVED' });
    // Nothing is held on the other one.
    const [row] = await runOnPostgres(twin, 'SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1', [slot]);
    assert.equal(row?.active_pid, null);
  });
});
