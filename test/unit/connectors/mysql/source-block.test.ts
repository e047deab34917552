import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MySqlChangeBatch } from '../../../../connectors/mysql/my-change-batch.ts';
import { Gtid } from '../../../../connectors/mysql/protocol/gtid.ts';
import { MySqlSourceBlock } from '../../../../connectors/mysql/source-block.ts';
import { TransactionContext } from '../../../../connectors/mysql/transaction-context.ts';
import { AvroWriter } from '../../../../src/avro/avro-writer.ts';
import { ChangeKind } from '../../../../src/core/change-batch.ts';
import { ArenaPool, MessageArena } from '../../../../src/core/message-arena.ts';
import type { SchemaChange } from '../../../../src/core/schema-change.ts';
import type { TableVersion } from '../../../../src/core/table.ts';
import { PlainWriter } from '../../../support/plain-writer.ts';

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

function version(name: string): TableVersion {
  return { id: { database: 'inv', schema: null, name }, fingerprint: name, columns: [], key: null, locate() {} };
}

const tables = [version('orders'), version('lines'), null];
const transactions = [1, 2, 3].map((number) => {
  const gtid = number === 3 ? null : new Gtid(SERVER, ':', number);
  const context = new TransactionContext(gtid, 18, 'binlog.000001', 4, 1_795_208_206_293_519 + number);
  context.thread = number === 2 ? null : 40 + number;
  return context;
});

interface Row {
  readonly table: TableVersion | null;
  readonly transaction: TransactionContext;
  readonly row: number;
  readonly query: string | null;
}

function batchOf(rows: readonly Row[]): MySqlChangeBatch {
  const batch = new MySqlChangeBatch(new ArenaPool(), () => {});
  batch.open(new MessageArena(Buffer.alloc(8)));
  for (const { table, transaction, row, query } of rows) {
    const detail = table === null ? ({ databaseName: 'inv', tableName: 'dropped' } as SchemaChange) : null;
    const kind = table === null ? ChangeKind.schema : ChangeKind.insert;
    const index = batch.add(kind, table, detail, transaction, 5_000_000_000 + row);
    batch.rows[index] = row;
    batch.queries[index] = query;
  }
  return batch;
}

function encoded(block: MySqlSourceBlock, out: AvroWriter, batch: MySqlChangeBatch, index: number): string {
  out.reset();
  block.write(out, batch, index, batch.versions[index]!);
  return out.buffer.toString('hex', 0, out.length);
}

test('a block has the place of its row, whatever rows came before it', () => {
  const row = fc.record({
    table: fc.constantFrom(...tables),
    transaction: fc.constantFrom(...transactions),
    row: fc.integer({ min: 0, max: 3 }),
    query: fc.constantFrom(null, 'UPDATE orders SET a = 1'),
  });
  const runs = fc
    .array(fc.tuple(row, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 12 })
    .map((found) => found.flatMap(([one, times]) => Array.from({ length: times }, () => one)));
  fc.assert(
    fc.property(runs, (rows) => {
      const batch = batchOf(rows);
      const out = new AvroWriter();
      const block = new MySqlSourceBlock('mysql', 'shop');
      for (let index = 0; index < rows.length; index++) {
        const alone = encoded(new MySqlSourceBlock('mysql', 'shop'), new AvroWriter(), batch, index);
        assert.equal(encoded(block, out, batch, index), alone);
      }
    }),
  );
});

test('the fields of a block', () => {
  const [transaction] = transactions;
  const batch = batchOf([{ table: tables[0]!, transaction: transaction!, row: 2, query: 'INSERT' }]);
  const block = new MySqlSourceBlock('mysql', 'shop');
  const out = new PlainWriter(block.schema);
  block.write(out, batch, 0, batch.versions[0]!);
  assert.deepEqual(out.take(), {
    version: '3.7.0.Final',
    connector: 'mysql',
    name: 'shop',
    ts_ms: 1_795_208_206_293n,
    snapshot: 'false',
    db: 'inv',
    sequence: null,
    ts_us: 1_795_208_206_293_520n,
    ts_ns: 1_795_208_206_293_520_000n,
    table: 'orders',
    server_id: 18n,
    gtid: `${SERVER}:1`,
    file: 'binlog.000001',
    pos: 5_000_000_002n,
    row: 2,
    thread: 41n,
    query: 'INSERT',
  });
});
