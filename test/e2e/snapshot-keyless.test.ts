import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitSnapshot, tailedDatabase } from '../support/tailed-database.ts';
import { tableOf, verify } from '../support/verify-command.ts';

const ROWS = 30_000;

test('a large table without a key is read by all readers in one view, while it is written to', {
  timeout: 480_000,
}, async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE visits (n int, note text);
    ALTER TABLE visits REPLICA IDENTITY FULL;
    INSERT INTO visits SELECT i, repeat('x', 400) FROM generate_series(1, ${ROWS}) i`);
  await using daemon = await Daemon.create({
    sources: [tailed.source({ snapshot: { mode: 'initial', parallelism: 2 } })],
  });
  daemon.start();
  // Not earlier: what the stream tells of such a table before the view is opened is in the view once more.
  await awaitUntil(
    'both readers were at work',
    async () => {
      const readers = await tailed.query(
        `SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'COPY%ctid%' AND state = 'active'`,
        [`tailrace reader ${tailed.prefix}`],
      );
      return readers.length === 2;
    },
    { timeoutMs: 60_000, intervalMs: 5 },
  );
  let isOver = false;
  const writing = (async () => {
    for (let i = 1; !isOver; i++) {
      await tailed.query(`INSERT INTO visits VALUES (${-i}, 'new')`);
      await tailed.query(`UPDATE visits SET note = 'changed' WHERE ctid = '(${i},1)'`);
      await tailed.query(`DELETE FROM visits WHERE ctid = '(${i},2)'`);
    }
  })();
  try {
    await awaitSnapshot(daemon, tailed.prefix);
  } finally {
    isOver = true;
    await writing;
  }
  const equal = await verify(daemon.configPath, tailed.prefix);
  assert.equal(equal.code, 0, JSON.stringify(equal.report) + equal.stderr);
  assert.equal(tableOf(equal, 'public.visits').verdict, 'equal');

  const records = await tailed.records('public.visits', ROWS);
  const read = records.filter(({ decodedValue }) => decodedValue?.op === 'r');
  const markers = Map.groupBy(read, ({ decodedValue }) => decodedValue.source.snapshot as string);
  assert.equal(markers.get('first')?.length, 1);
  assert.equal(
    records.find(({ decodedValue }) => decodedValue?.op === 'r'),
    markers.get('first')?.[0],
  );
  assert.equal(markers.get('last')?.length, 1);
  assert.equal(read.at(-1), markers.get('last')?.[0]);
  assert.deepEqual([...markers.keys()].sort(), ['first', 'last', 'true']);
  assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));
});
