import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type Stack, startStack } from '../../../deploy/local/stack.ts';
import { ChangeKind } from '../../../src/core/change-batch.ts';
import { awaitUntil } from '../../support/await-until.ts';
import type { PostgresDatabase } from '../../support/postgres-database.ts';
import { type PostgresStandby, startPostgresStandby } from '../../support/postgres-standby.ts';
import { postgresVersion } from '../../support/services.ts';
import { chunkOf, openReader, openView, readChunk, tableNamed, tryToOpenView } from './reader-under-test.ts';
import { SourceUnderTest } from './source-under-test.ts';

const version = postgresVersion() ?? 17;
let stack: Stack;
let standby: PostgresStandby;

before(async () => {
  stack = await startStack({ postgres: [version], ownServices: true, report: () => undefined });
  standby = await startPostgresStandby(stack.urls.postgres[version]!);
});
after(async () => {
  await standby?.[Symbol.asyncDispose]();
  await stack.stop();
});

async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

async function replayed(primary: pg.Client): Promise<void> {
  const { rows } = await primary.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  await using client = await connect(standby.url);
  await awaitUntil('the standby replayed', async () => {
    const { rows: seen } = await client.query<{ done: boolean }>(
      'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done',
      [rows[0]!.lsn],
    );
    return seen[0]!.done;
  });
}

// Logical decoding on a standby came with Postgres 16.
test('a standby shows in its views what it had replayed, and is passed by an idle stream', {
  timeout: 360_000,
  skip: version < 16,
}, async () => {
  if (version < 16) return;
  await using primary = await connect(stack.urls.postgres[version]!);
  await primary.query(`CREATE TABLE t (a int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old'), (2, 'old')`);
  const tested = new SourceUnderTest({ name: 'standby', url: standby.url } as PostgresDatabase, {
    slot: { autocreate: 'disabled' },
  });
  await primary.query(`CREATE PUBLICATION ${tested.publication} FOR TABLE t`);
  await replayed(primary);
  // A slot on a standby waits for the primary to tell which transactions run.
  const telling = setInterval(() => void primary.query('SELECT pg_log_standby_snapshot()').catch(() => undefined), 200);
  await using source = await tested.startFresh().finally(() => clearInterval(telling));

  await using open = await connect(stack.urls.postgres[version]!);
  await open.query(`BEGIN; INSERT INTO t VALUES (3, 'open')`);
  await primary.query(`INSERT INTO t VALUES (4, 'ended')`);
  await replayed(primary);
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  assert.match(String(await tryToOpenView(reader, [table])), /open on the primary/);
  await open.query('COMMIT');
  await replayed(primary);
  const view = await openView(reader, [table], 2);
  const rows = async (at: number) => (await readChunk(view, chunkOf(table), at)).rows.map(({ a, v }) => `${a} ${v}`);

  await open.query(`BEGIN; UPDATE t SET v = 'later' WHERE a = 1`);
  await open.query('COMMIT');
  const expected = ['1 old', '2 old', '3 open', '4 ended'];
  assert.deepEqual([await rows(0), await rows(1)], [expected, expected]);

  const contained: boolean[] = [];
  let isContained = false;
  let isPassed = false;
  for (let isLast = false; !isLast; ) {
    const { value: batch, done } = await source.next();
    assert.notEqual(done, true);
    for (let index = 0; index < batch!.count; index++) {
      const detail = batch!.details[index]!;
      const kind = batch!.kinds[index];
      if (kind === ChangeKind.begin) isContained = view.contains(batch!, index);
      if (kind === ChangeKind.insert || kind === ChangeKind.update) contained.push(isContained);
      isLast ||= kind === ChangeKind.update;
      if (detail !== null && 'resumeAt' in detail) isPassed = view.isPassed(detail.resumeAt);
    }
    batch!.release();
  }
  assert.deepEqual(contained, [true, true, false]);
  await view[Symbol.asyncDispose]();
  assert.equal(isPassed, true);

  // Nothing more is written: the standby's own keepalives bring the stream to what was received.
  await primary.query('SELECT pg_switch_wal()');
  await replayed(primary);
  await using idle = await openView(reader, [table]);
  await source.readUntil(({ resumeAt }) => resumeAt !== null && idle.isPassed(resumeAt), 30_000);

  await idle[Symbol.asyncDispose]();
  // A stream that stands beyond what was replayed has published what a view would not show.
  const beyond = { lsn: { high: 0xffff, low: 0 }, lastCommit: null, lastCommitTimeUs: null };
  assert.match(String(await tryToOpenView(reader, [table], 1, beyond)), /not replayed/);

  await using operator = await connect(standby.url);
  await operator.query('SELECT pg_promote()');
  await assert.rejects(tryToOpenView(reader, [table]), { code: 'POSTGRES_PROMOTED' });
});
