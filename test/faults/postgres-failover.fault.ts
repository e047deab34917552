import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { startPostgresStandby } from '../support/postgres-standby.ts';
import { runOnPostgres } from '../support/run-on-postgres.ts';
import { postgresVersion } from '../support/services.ts';
import { awaitState, type TailedDatabase, tailedDatabase } from '../support/tailed-database.ts';

/*
 * The address of a source moves from a primary to its standby. With a slot that is synchronised (17 and newer) the stream goes
 * on; where changes were published that the new primary does not have, or the slot is not there, that is said.
 */

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v text)';
const STANDBY_SLOT = 'of_the_standby';

/** A primary with a standby that follows it through a slot, and a table on both. */
class Cluster implements AsyncDisposable {
  readonly primary: OwnPostgres;
  readonly tailed: TailedDatabase;
  /** Of the test's database. */
  readonly standbyUrl: string;
  readonly #standby: AsyncDisposable;
  readonly #synchronisesSlots: boolean;

  private constructor(
    primary: OwnPostgres,
    tailed: TailedDatabase,
    standby: AsyncDisposable,
    standbyUrl: string,
    synchronisesSlots: boolean,
  ) {
    this.primary = primary;
    this.tailed = tailed;
    this.#standby = standby;
    this.standbyUrl = standbyUrl;
    this.#synchronisesSlots = synchronisesSlots;
  }

  static async start(synchronisesSlots: boolean): Promise<Cluster> {
    const primary = (await OwnPostgres.start()).becomeTheServerOfThisTest();
    await primary.run('SELECT pg_create_physical_replication_slot($1, true)', [STANDBY_SLOT]);
    if (synchronisesSlots) {
      // The source is told nothing that the standby does not have.
      await primary.run(`ALTER SYSTEM SET synchronized_standby_slots = '${STANDBY_SLOT}'`);
      await primary.run('SELECT pg_reload_conf()');
    }
    const tailed = await tailedDatabase(TABLE);
    const { hostname, port, username } = new URL(primary.url);
    const standby = await startPostgresStandby(primary.url, [
      `primary_conninfo = 'host=${hostname} port=${port} user=${username} dbname=postgres'`,
      `primary_slot_name = '${STANDBY_SLOT}'`,
      ...(synchronisesSlots ? ['sync_replication_slots = on'] : []),
    ]);
    const url = new URL(tailed.database.url);
    url.port = new URL(standby.url).port;
    return new Cluster(primary, tailed, standby, url.href, synchronisesSlots);
  }

  /** Waits until the standby has everything that the primary has by now. */
  async caughtUp(): Promise<void> {
    const [row] = await this.primary.run<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    await awaitUntil('the standby replayed what the primary wrote', async () => {
      const [seen] = await this.onStandby<{ done: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done', [
        row!.lsn,
      ]);
      return seen!.done;
    });
  }

  onStandby<R extends Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<R[]> {
    return runOnPostgres<R>(this.standbyUrl, sql, values);
  }

  async promote(): Promise<void> {
    await this.onStandby('SELECT pg_promote()');
    // It was copied from the primary, and no standby follows any more.
    if (this.#synchronisesSlots) await this.onStandby('ALTER SYSTEM RESET synchronized_standby_slots');
    await this.onStandby('SELECT pg_reload_conf()');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#standby[Symbol.asyncDispose]();
    if (!this.primary.isRunning) await this.primary.start();
    await this.tailed[Symbol.asyncDispose]();
    await this.primary[Symbol.asyncDispose]();
  }
}

async function idsOf(tailed: TailedDatabase, count: number): Promise<number[]> {
  return (await tailed.records('public.t', count)).map(({ decodedKey }) => Number(decodedKey.id));
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
const version = postgresVersion() ?? 17;

describe('the address of a source moves to a standby', () => {
  it('with a synchronised slot nothing is lost or repeated, also where the standby is met before its promotion', {
    timeout: 600_000,
    skip: version < 17,
  }, async () => {
    await using cluster = await Cluster.start(true);
    const { primary, tailed } = cluster;
    await using proxy = await FaultProxy.inFrontOf(tailed.database.url);
    const url = proxy.urlFor(tailed.database.url);
    const slot = `tailrace_${tailed.prefix}`;
    await using daemon = await Daemon.create({
      sources: [tailed.source({ url, slot: { name: slot, failover: true } })],
    });
    await daemon.start().streaming();
    await tailed.query('INSERT INTO t SELECT generate_series(1, 20)');
    await awaitUntil(
      'the slot is on the standby for good',
      async () => {
        const [row] = await cluster.onStandby<{ ready: boolean }>(
          'SELECT synced AND NOT temporary AS ready FROM pg_replication_slots WHERE slot_name = $1',
          [slot],
        );
        return row?.ready === true;
      },
      { timeoutMs: 60_000 },
    );
    await tailed.query('INSERT INTO t SELECT generate_series(21, 40)');
    assert.equal((await idsOf(tailed, 40)).length, 40);
    await cluster.caughtUp();
    await primary.shutDown('immediate');
    proxy.moveTo(cluster.standbyUrl);
    const status = await daemon.until(
      'the source has met the standby',
      async () => {
        const now = await daemon.status(tailed.prefix);
        assert.ok(now.state === 'backing-off' || now.state === 'starting', JSON.stringify(now.last_error));
        return now.last_error?.code === 'POSTGRES_SLOT_SYNCHRONISED' ? now : null;
      },
      60_000,
    );
    assert.match(status.last_error!.remedy, /promoted/);
    await cluster.promote();
    await cluster.onStandby('INSERT INTO t SELECT generate_series(41, 60)');
    await daemon.streaming(90_000);
    await cluster.onStandby('INSERT INTO t SELECT generate_series(61, 80)');
    const ids = await idsOf(tailed, 80);
    assert.deepEqual([...new Set(ids)], upTo(80));
    assert.equal(await daemon.stop(), 0);
    // Started again it finds itself on the same timeline.
    await cluster.onStandby('INSERT INTO t VALUES (81)');
    await daemon.start().streaming();
    assert.equal((await idsOf(tailed, 81)).at(-1), 81);
    assert.equal(await daemon.stop(), 0);
  });

  it('a new primary without the slot is resync-required', { timeout: 600_000 }, async () => {
    await using cluster = await Cluster.start(false);
    const { primary, tailed } = cluster;
    await using proxy = await FaultProxy.inFrontOf(tailed.database.url);
    await using daemon = await Daemon.create({
      sources: [tailed.source({ url: proxy.urlFor(tailed.database.url) })],
    });
    await daemon.start().streaming();
    await tailed.query('INSERT INTO t SELECT generate_series(1, 20)');
    await idsOf(tailed, 20);
    await cluster.caughtUp();
    await primary.shutDown('immediate');
    await cluster.promote();
    proxy.moveTo(cluster.standbyUrl);
    await cluster.onStandby('INSERT INTO t VALUES (21)');
    const { last_error } = await awaitState(daemon, tailed.prefix, 'resync-required', 90_000);
    assert.match(String(last_error?.code), /^POSTGRES_(SLOT_MISSING|TIMELINE_DIVERGED)$/);
    assert.match(last_error!.remedy, /tailrace resync/);
    assert.equal(await daemon.stop(), 0);
  });
});
