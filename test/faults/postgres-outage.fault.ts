import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { verifyWorkload } from '../support/oracle.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitState, tailedDatabase } from '../support/tailed-database.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';
import { Workload } from '../support/workload.ts';
import { SeededRandom } from '../support/workload-random.ts';

/*
 * A Postgres that goes away and comes back is one transient error after the other: the daemon goes on by itself, from its
 * checkpoint, and the topics have every change in its order.
 */

const CATCH_UP_MS = 120_000;

interface UnderLoad {
  readonly name: string;
  readonly daemon: Daemon;
  readonly proxy: FaultProxy;
  readonly workload: Workload;
  readonly random: SeededRandom;
}

/** Runs `fault` while writers write past the proxy that the daemon reads through, then judges what is in the topics. */
async function survives(say: (text: string) => void, fault: (load: UnderLoad) => Promise<void>): Promise<void> {
  const seed = Math.floor(Math.random() * 0x1_0000_0000);
  const random = new SeededRandom(seed);
  const name = uniqueName('outage');
  await using database = await createPostgresDatabase({ prefix: 'outage' });
  await using proxy = await FaultProxy.inFrontOf(database.url);
  await using workload = await Workload.create({
    url: database.url,
    seed: random.int(0, 0xffff_ffff),
    publication: name,
    schemaChangeMs: 0,
    survivesOutages: true,
  });
  await using daemon = await Daemon.create({ sources: [sourceBehind(proxy, name, database)] });
  try {
    await daemon.start().streaming();
    workload.start();
    await fault({ name, daemon, proxy, workload, random });
    await workload.stop();
    await proxy.become({ kind: 'none' });
    await workload.touchAll();
    await awaitConfirmed(database, name, CATCH_UP_MS);
    assert.equal((await daemon.status(name)).state, 'streaming');
    const metrics = parseExposition(await (await daemon.get('/metrics')).text());
    assert.ok(metrics.value('tailrace_errors_total', { source: name, class: 'transient' })! >= 1);
    assert.equal(await daemon.stop(), 0);
    const { problems, records, duplicates } = await verifyWorkload(database, name);
    say(`seed ${seed}: ${workload.transactions} transactions, ${records} records, ${duplicates} repeated`);
    assert.deepEqual(problems, []);
    assert.ok(records > 200, `${records} records`);
  } catch (error) {
    say(`seed ${seed}\n${daemon.output.slice(-6_000)}`);
    throw error;
  } finally {
    await deleteKafkaTopics(name);
  }
}

function sourceBehind(proxy: FaultProxy, name: string, database: PostgresDatabase) {
  return testSource(name, { url: proxy.urlFor(database.url) }, { skipped_operations: [] });
}

async function moreChanges({ daemon, name }: UnderLoad, count: number): Promise<void> {
  const before = (await daemon.status(name)).changes_total;
  await daemon.until(
    `${count} more changes are told`,
    async () => (await daemon.status(name)).changes_total >= before + count,
    60_000,
  );
}

describe('Postgres goes away and comes back', () => {
  let server: OwnPostgres;
  before(async () => {
    server = (await OwnPostgres.start()).becomeTheServerOfThisTest();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const how of ['fast', 'immediate'] as const) {
    it(`${how} shutdown, started again: nothing is lost`, { timeout: 600_000 }, async (t) => {
      await survives(
        (text) => t.diagnostic(text),
        async (load) => {
          for (let round = 0; round < 3; round++) {
            await moreChanges(load, 100);
            const tookMs = await server.shutDown(how);
            t.diagnostic(`the ${how} shutdown took ${Math.round(tookMs)} ms`);
            const status = await awaitState(load.daemon, load.name, 'backing-off');
            assert.match(String(status.last_error?.code), /^POSTGRES_(UNAVAILABLE|CONNECTION_LOST|STREAM_ENDED)$/);
            await server.start();
            await load.daemon.streaming(90_000);
          }
          await moreChanges(load, 100);
        },
      );
    });
  }

  it('connections that are cut anywhere, in the middle of messages too: nothing is lost', {
    timeout: 600_000,
  }, async (t) => {
    await survives(
      (text) => t.diagnostic(text),
      async (load) => {
        const { daemon, proxy, random } = load;
        for (let round = 0; round < 4; round++) {
          // Enough for the catalog; the stream ends soon after, wherever that is.
          await proxy.become({ kind: 'cut', afterBytes: () => random.int(30_000, 120_000) });
          const restarts = await restartsOf(daemon, load.name);
          await daemon.until(
            'the stream was cut twice',
            async () => {
              await tryAtOnce(daemon, load.name);
              return (await restartsOf(daemon, load.name)) >= restarts + 2;
            },
            60_000,
          );
          await proxy.become({ kind: 'none' });
          await tryAtOnce(daemon, load.name);
          await moreChanges(load, 50);
        }
      },
    );
  });

  it('a fast shutdown does not wait for a source that cannot publish', { timeout: 360_000 }, async (t) => {
    await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
    await using registry = await FaultProxy.inFrontOf('http://127.0.0.1:9', { kind: 'refuse' });
    await using daemon = await Daemon.create({
      sources: [tailed.source()],
      config: { schema_registry: { url: registry.urlFor('http://127.0.0.1:9') } },
    });
    await daemon.start().streaming();
    await tailed.query('INSERT INTO t VALUES (1)');
    await daemon.until('the source waits for the registry', async () => {
      const metrics = parseExposition(await (await daemon.get('/metrics')).text());
      return metrics.value('tailrace_source_waiting', { source: tailed.prefix }) === 1;
    });
    try {
      t.diagnostic(`took ${Math.round(await server.shutDown('fast', 45_000))} ms`);
    } finally {
      await server.shutDown('immediate');
      await server.start();
    }
  });
});

async function restartsOf(daemon: Daemon, source: string): Promise<number> {
  const metrics = parseExposition(await (await daemon.get('/metrics')).text());
  return metrics.value('tailrace_restarts_total', { source }) ?? 0;
}

/** Ends the pause between two attempts, as `tailrace resume` does: many failures in a row make it long. */
async function tryAtOnce(daemon: Daemon, source: string): Promise<void> {
  if ((await daemon.status(source)).state !== 'backing-off') return;
  const path = `/api/v1/sources/${source}/resume`;
  await fetch(`${await daemon.url()}${path}`, { method: 'POST', signal: AbortSignal.timeout(5_000) });
}
