import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { everyDatabase } from '../support/every-database.ts';
import { parseExposition } from '../support/exposition.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitState } from '../support/tailed-database.ts';
import { uniqueName } from '../support/unique-name.ts';

/*
 * A network that swallows packets tells neither end anything: no error, no end of the connection. The kernel would try for
 * a quarter of an hour.
 */

/** Postgres: twice the timeout of its walsender. */
const NOTICED_MS = 150_000;
const SILENCES =
  /^(POSTGRES_(SILENT|UNAVAILABLE|CONNECTION_LOST|QUERY_TIMEOUT)|MYSQL_(SILENT|UNAVAILABLE|STREAM_ENDED|LEASE_LOST|QUERY_TIMEOUT))$/;

for (const { label, create } of await everyDatabase()) {
  it(`${label}: a network that falls silent is noticed, and nothing is lost`, { timeout: 400_000 }, async (t) => {
    const name = uniqueName('silent');
    await using database = await create(['CREATE TABLE t (id int PRIMARY KEY)']);
    const topic = `${name}.${database.schema}.t`;
    const source = database.source(name);
    const url = String(source.url);
    await using proxy = await FaultProxy.inFrontOf(url);
    await using daemon = await Daemon.create({ sources: [{ ...source, url: proxy.urlFor(url) }] });
    try {
      await daemon.start().streaming();
      await database.query('INSERT INTO t VALUES (1)');
      await awaitTopicEnds(new Map([[topic, 1]]), 90_000);

      proxy.fallSilent();
      await database.query('INSERT INTO t VALUES (2)');
      const startedAtMs = performance.now();
      const { last_error } = await awaitState(daemon, name, 'backing-off', NOTICED_MS);
      t.diagnostic(`${last_error?.code} after ${Math.round((performance.now() - startedAtMs) / 1000)} s`);
      assert.match(String(last_error?.code), SILENCES);
      assert.notEqual(last_error?.remedy ?? '', '');
      assert.equal((await daemon.get('/livez')).status, 200);
      const metrics = parseExposition(await (await daemon.get('/metrics')).text());
      assert.ok(metrics.value('tailrace_errors_total', { source: name, class: 'transient' })! >= 1);

      await proxy.become({ kind: 'none' });
      await daemon.streaming(120_000);
      await database.query('INSERT INTO t VALUES (3)');
      await daemon.until('all rows are told', async () => {
        return new Set((await readEnvelopes(topic)).map(({ after }) => after?.id)).size === 3;
      });
      assert.equal(await daemon.stop(), 0);
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}
