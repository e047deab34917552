import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { registryUrl } from '../support/services.ts';
import { awaitState, type DecodedRecord, tailedDatabase } from '../support/tailed-database.ts';

it('a registry that is down at the start: the source waits, says why, and loses nothing', async () => {
  await using proxy = await FaultProxy.inFrontOf(registryUrl(), { kind: 'refuse' });
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY, v text)');
  const eager = `${tailed.prefix}_eager`;
  await using daemon = await Daemon.create({
    // The second needs a schema before anything is streamed.
    sources: [tailed.source(), tailed.source({ transaction_metadata: true }, eager)],
    config: { schema_registry: { url: proxy.urlFor(registryUrl()), request_timeout: '1s' } },
  });
  daemon.start();
  await awaitState(daemon, tailed.prefix, 'streaming');
  // What follows is in the slot of the second as well.
  await awaitWaiting(daemon, eager);
  await tailed.query("INSERT INTO t SELECT n, 'v' FROM generate_series(1, 100) n");
  await tailed.query("INSERT INTO t SELECT n, 'w' FROM generate_series(101, 200) n");
  await awaitWaiting(daemon, tailed.prefix);
  assert.equal((await daemon.status(eager)).state, 'starting');
  const ready = await daemon.get('/readyz');
  assert.equal(ready.status, 503);
  assert.match(
    await ready.text(),
    /REGISTRY_UNREACHABLE.*schema of subject e2e_.*does not answer.*schema_registry\.url/,
  );
  assert.equal((await daemon.get('/livez')).status, 200, 'waiting is not being stuck');

  await proxy.become({ kind: 'none' });
  await daemon.streaming();
  for (const source of [tailed.prefix, eager]) {
    assert.deepEqual(idsOf(await tailed.records('public.t', 200, source)), range(1, 200));
    assert.equal((await metricsOf(daemon)).value('tailrace_source_waiting', { source }), 0);
  }
  assert.equal(await daemon.stop(), 0);
});

it('known schemas keep flowing while the registry is down; a new one waits; a stop then is graceful', async () => {
  await using proxy = await FaultProxy.inFrontOf(registryUrl());
  await using tailed = await tailedDatabase(
    'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)',
  );
  const source = tailed.prefix;
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: proxy.urlFor(registryUrl()), request_timeout: '500ms' } },
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  await tailed.records('public.t', 1);

  await proxy.become({ kind: 'refuse' });
  await tailed.query('INSERT INTO t VALUES (2)');
  assert.deepEqual(idsOf(await tailed.records('public.t', 2)), [1, 2]);
  assert.equal((await daemon.get('/readyz')).status, 200, 'nobody needs the registry');

  // A restart remembers the ids.
  assert.equal(await daemon.stop(), 0);
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (3)');
  assert.deepEqual(idsOf(await tailed.records('public.t', 3)), [1, 2, 3]);

  let others = 0;
  for (const fault of [{ kind: 'refuse' }, { kind: 'hang' }, { kind: 'http-status', status: 500 }] as const) {
    const column = fault.kind.replace('-', '_');
    await proxy.become(fault);
    await tailed.query(`INSERT INTO t VALUES (${nextId()})`);
    await tailed.query(`ALTER TABLE t ADD COLUMN ${column} int`);
    await tailed.query(`INSERT INTO t VALUES (${nextId()})`);
    await tailed.query('INSERT INTO other VALUES ($1)', [nextId()]);
    await awaitWaiting(daemon, source);
    const before = await tailed.records('public.t', 1);
    assert.equal(before.at(-1)?.decodedKey.id, lastId - 2, `${fault.kind}: what came before the change is out`);
    const { last_error, state } = await daemon.status(source);
    assert.equal(state, 'streaming');
    assert.equal(last_error?.code, 'REGISTRY_UNREACHABLE');
    assert.match(last_error?.message ?? '', new RegExp(`subject ${source}\\.public\\.t-`));
    assert.match(daemon.output, /waiting for the schema registry/);
    if (fault.kind === 'hang') {
      assert.equal(await daemon.stop(), 0, 'a source that waits can be stopped');
      await proxy.become({ kind: 'none' });
      await daemon.start();
    } else await proxy.become({ kind: 'none' });
    await daemon.streaming();
    const records = await tailed.records('public.t', before.length + 1);
    assert.equal(records.at(-1)?.decodedKey.id, lastId - 1);
    others += 1;
    await tailed.records('public.other', others);
    assert.ok(column in (records.at(-1)?.decodedValue.after ?? {}), `${fault.kind}: under the new schema`);
  }
  assert.ok(((await metricsOf(daemon)).value('tailrace_registry_requests_total', { outcome: 'unreachable' }) ?? 0) > 0);
  assert.equal(await daemon.stop(), 0);
});

it('a slow registry delays what is new and breaks nothing', async () => {
  await using proxy = await FaultProxy.inFrontOf(registryUrl(), { kind: 'delay', ms: 150 });
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: proxy.urlFor(registryUrl()), request_timeout: '5s' } },
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t SELECT generate_series(1, 50)');
  assert.deepEqual(idsOf(await tailed.records('public.t', 50)), range(1, 50));
  assert.equal((await daemon.status(tailed.prefix)).last_error, null);
  assert.equal(await daemon.stop(), 0);
});

it('a registry that refuses us at a change of schema stops the source before it, until it is asked again', async () => {
  await using proxy = await FaultProxy.inFrontOf(registryUrl());
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: proxy.urlFor(registryUrl()), request_timeout: '5s' } },
  });
  const source = tailed.prefix;
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  await tailed.records('public.t', 1);
  const refusals = [
    [401, /schema_registry\.auth/],
    [403, /Let the registry user read and write subject/],
  ] as const;
  for (const [index, [status, remedy]] of refusals.entries()) {
    await proxy.become({ kind: 'http-status', status });
    await tailed.query(`ALTER TABLE t ADD COLUMN a${status} int`);
    await tailed.query('INSERT INTO t VALUES ($1)', [index + 2]);
    const { last_error } = await awaitState(daemon, source, 'failed');
    assert.equal(last_error?.code, 'REGISTRY_REFUSED');
    assert.match(last_error?.message ?? '', new RegExp(`subject ${source}\\.public\\.t-\\w+ \\(HTTP ${status}`));
    assert.match(last_error?.remedy ?? '', remedy);
    const metrics = await metricsOf(daemon);
    assert.equal(metrics.value('tailrace_errors_total', { source, class: 'configuration' }), index + 1);
    assert.ok((metrics.value('tailrace_registry_requests_total', { outcome: 'refused' }) ?? 0) > 0);
    assert.equal(
      (await tailed.records('public.t', index + 1)).length,
      index + 1,
      'nothing under the new schema is sent',
    );
    await proxy.become({ kind: 'none' });
    const resumed = await fetch(`${await daemon.url()}/api/v1/sources/${source}/resume`, {
      method: 'POST',
      signal: AbortSignal.timeout(30_000),
    });
    assert.equal(resumed.status, 200, await resumed.text());
    await daemon.streaming();
    assert.deepEqual(idsOf(await tailed.records('public.t', index + 2)), range(1, index + 2));
  }
  assert.equal(await daemon.stop(), 0);
});

it('of several registries the one that answers is used', async () => {
  await using proxy = await FaultProxy.inFrontOf(registryUrl(), { kind: 'refuse' });
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { schema_registry: { url: [proxy.urlFor(registryUrl()), registryUrl()], request_timeout: '1s' } },
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO t VALUES (1)');
  assert.deepEqual(idsOf(await tailed.records('public.t', 1)), [1]);
});

let lastId = 3;
function nextId(): number {
  lastId += 1;
  return lastId;
}

async function awaitWaiting(daemon: Daemon, source: string): Promise<void> {
  await awaitUntil(
    `${source} waits for the registry; log:\n${daemon.output.slice(-2_000)}`,
    async () => (await metricsOf(daemon)).value('tailrace_source_waiting', { source }) === 1,
  );
}

async function metricsOf(daemon: Daemon) {
  return parseExposition(await (await daemon.get('/metrics')).text());
}

function idsOf(records: readonly DecodedRecord[]): number[] {
  return records.map(({ decodedKey }) => decodedKey.id);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
