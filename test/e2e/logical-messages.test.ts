import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

it('logical messages arrive in their place, transactional or not, also without any table', async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY)');
  const bytes = `${tailed.prefix}_bytes`;
  const hex = `${tailed.prefix}_hex`;
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({ transaction_metadata: true }, bytes),
      tailed.source({ types: { binary: 'hex' }, tables: { include: ['public\\.none'] } }, hex),
    ],
  });
  await daemon.start().streaming();
  await tailed.query(`BEGIN; INSERT INTO t VALUES (1); SELECT pg_logical_emit_message(true, 'outbox', 'héllo');
    INSERT INTO t VALUES (2); COMMIT`);
  await tailed.query(`BEGIN; SELECT pg_logical_emit_message(true, 'outbox', 'undone');
    SELECT pg_logical_emit_message(false, 'audit', 'kept'); ROLLBACK`);
  await tailed.query(String.raw`SELECT pg_logical_emit_message(true, '', '\x00ff'::bytea)`);
  await tailed.query("SELECT pg_logical_emit_message(false, 'empty', '')");

  const messages = await tailed.records('message', 4, bytes);
  assert.deepEqual(
    messages.map(({ decodedKey, decodedValue: { op, message, source } }) => [
      decodedKey.prefix,
      op,
      message.prefix,
      message.content.toString('hex'),
      source.txId !== null,
    ]),
    [
      ['outbox', 'm', 'outbox', Buffer.from('héllo').toString('hex'), true],
      ['audit', 'm', 'audit', Buffer.from('kept').toString('hex'), false],
      ['', 'm', '', '00ff', true],
      ['empty', 'm', 'empty', '', false],
    ],
    'a message that is not transactional survives the rollback, the other does not',
  );
  const orders = messages.map(({ decodedValue }) => decodedValue.transaction?.total_order ?? null);
  assert.deepEqual(orders, [2n, null, 1n, null]);
  const rows = await tailed.records('public.t', 2, bytes);
  assert.deepEqual(
    rows.map(({ decodedValue }) => decodedValue.transaction.total_order),
    [1n, 3n],
  );
  assert.equal(rows[0]?.decodedValue.transaction.id, messages[0]?.decodedValue.transaction.id);

  const inHex = await tailed.records('message', 4, hex);
  assert.deepEqual(
    inHex.map(({ decodedValue }) => decodedValue.message.content),
    [Buffer.from('héllo').toString('hex'), Buffer.from('kept').toString('hex'), '00ff', ''],
  );
  assert.equal(await daemon.stop(), 0);
});
