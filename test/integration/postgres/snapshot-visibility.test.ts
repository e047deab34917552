import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type Stack, startStack } from '../../../deploy/local/stack.ts';
import { ChangeKind } from '../../../src/core/change-batch.ts';
import { absentStandby } from '../../support/absent-standby.ts';
import type { PostgresDatabase } from '../../support/postgres-database.ts';
import { postgresVersion } from '../../support/services.ts';
import { chunkOf, openReader, openView, readChunk, tableNamed, tryToOpenView } from './reader-under-test.ts';
import { SourceUnderTest } from './source-under-test.ts';

// A server of its own: to wait for a standby is a setting of all of it.
const version = postgresVersion() ?? 17;
let stack: Stack;
let url: string;

before(async () => {
  stack = await startStack({ postgres: [version], ownServices: true, report: () => undefined });
  url = stack.urls.postgres[version]!;
});
after(() => stack.stop());

async function connect(): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

test('a view waits until what was emitted is visible, which is long after it was in the log', {
  timeout: 300_000,
}, async () => {
  await using operator = await connect();
  await using waiting = await connect();
  await operator.query(`CREATE TABLE t (a int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old'), (2, 'old')`);
  const tested = new SourceUnderTest({ name: 'postgres', url } as PostgresDatabase);
  await using source = await tested.startFresh();
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  await (await openView(reader, [table]))[Symbol.asyncDispose]();

  await using standby = await absentStandby(url);
  const committing = waiting.query(`UPDATE t SET v = 'new' WHERE a = 1`);
  let isEmitted = false;
  while (!isEmitted) {
    const { value: batch, done } = await source.next();
    assert.notEqual(done, true);
    for (let index = 0; index < batch!.count; index++) {
      if (batch!.kinds[index] === ChangeKind.begin) reader.emitted(batch!, index);
      isEmitted ||= batch!.kinds[index] === ChangeKind.update;
    }
    batch!.release();
  }
  // The log was sent, and nobody sees the row: a view would show the old one after the new one was published.
  const { rows } = await operator.query<{ v: string }>('SELECT v FROM t WHERE a = 1');
  assert.equal(rows[0]!.v, 'old');
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.match(String(await tryToOpenView(reader, [table])), /1 published transactions are not visible yet/);
  }
  await standby[Symbol.asyncDispose]();
  await committing;
  await using view = await openView(reader, [table]);
  const read = await readChunk(view, chunkOf(table));
  assert.deepEqual(
    read.rows.map(({ v }) => v),
    ['new', 'old'],
  );
});

test('a synchronous standby that is away does not hold up the heartbeat of a view', { timeout: 240_000 }, async () => {
  await using operator = await connect();
  await operator.query('DROP TABLE IF EXISTS u; CREATE TABLE u (a int PRIMARY KEY)');
  const tested = new SourceUnderTest({ name: 'postgres', url } as PostgresDatabase);
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.u');
  await using _standby = await absentStandby(url);
  await using view = await openView(reader, [table]);
  assert.deepEqual((await readChunk(view, chunkOf(table))).rows, []);
});
