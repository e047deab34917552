import assert from 'node:assert/strict';
import { it } from 'node:test';
import { awaitUntil } from '../../support/await-until.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import type { ConformanceServer } from './conformance-database.ts';
import { Source } from './source.ts';

/** What `preflight` promises. */
export function testPreflight(server: ConformanceServer): void {
  const { connector } = server;

  it('preflight finds nothing in the way of the account that the README describes, and changes nothing', async () => {
    await using database = await server.createDatabase();
    await database.run('CREATE TABLE t (id int PRIMARY KEY, v varchar(20))', 'CREATE TABLE bare (v varchar(20))');
    const before = await database.traces();
    const source = new Source(server, database);
    const findings = await connector.preflight(source.config, source.dependencies, source.signal);
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.ok(findings.some(({ severity }) => severity === 'ok'));
    const warnings = findings.filter(({ severity }) => severity === 'warning');
    assert.ok(
      warnings.some(({ problem }) => problem.includes(database.qualified('bare'))),
      'a table without key is worth a word',
    );
    for (const { problem, remedy } of warnings) assert.ok(problem !== '' && remedy !== '', problem);
    assert.equal(new Set(findings.map(({ check }) => check)).size, findings.length, 'each check has a name of its own');
    assert.deepEqual(await database.traces(), before);
  });

  it('a server that refuses, hangs, or is slow is a finding within its deadline, and no connection is left', async () => {
    await using database = await server.createDatabase();
    await using proxy = await FaultProxy.inFrontOf(database.url);
    const url = proxy.urlFor(database.url);
    const patient = new Source(server, database, { more: { url } });
    const fine = await connector.preflight(patient.config, patient.dependencies, patient.signal);
    assert.ok(fine.length > 1);
    await awaitUntil('a look leaves no connection open', () => proxy.open === 0);
    for (const [fault, connectTimeoutMs] of [
      [{ kind: 'refuse' }, 400],
      [{ kind: 'hang' }, 400],
      // The query is given up while the connection is being made.
      [{ kind: 'delay', ms: 150 }, 10_000],
    ] as const) {
      const more = { url, connect_timeout_ms: connectTimeoutMs, query_timeout_ms: 400 };
      const source = new Source(server, database, { more });
      await proxy.become(fault);
      const startedAt = performance.now();
      const findings = await connector.preflight(source.config, source.dependencies, source.signal);
      const seconds = (performance.now() - startedAt) / 1000;
      assert.ok(seconds < 5, `${fault.kind} took ${seconds} s`);
      assert.equal(findings.length, 1, fault.kind);
      const [finding] = findings;
      assert.equal(finding?.severity, 'error');
      assert.ok(finding.problem !== '' && finding.remedy !== '');
      assert.ok(!finding.problem.includes(new URL(url).password || 'nothing'), 'no secret is told');
      await awaitUntil(`${fault.kind} left no connection open`, () => proxy.open === 0);
    }
  });

  it('a preflight that is told to stop does', async () => {
    await using database = await server.createDatabase();
    await using proxy = await FaultProxy.inFrontOf(database.url, { kind: 'hang' });
    const source = new Source(server, database, { more: { url: proxy.urlFor(database.url) } });
    const stop = new AbortController();
    const looking = connector.preflight(source.config, source.dependencies, stop.signal);
    await awaitUntil('it connects', () => proxy.accepted > 0);
    stop.abort(new Error('stopped'));
    await assert.rejects(looking, /stopped/);
  });
}
